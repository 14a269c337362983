#[automatically_derived]
impl ::logto_client::api::Permission for Editor {
    const RULE: ::logto_client::api::Rule = ::logto_client::api::Rule::organization_role(
        "editor",
    );
}
use ::logto_client::api::attributes::organization_role as _;
