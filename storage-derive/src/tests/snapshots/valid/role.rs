#[automatically_derived]
impl my_sdk::api::Permission for Admin {
    const RULE: my_sdk::api::Rule = my_sdk::api::Rule::role("Site admin");
}
use my_sdk::api::attributes::role as _;
use my_sdk::api::attributes::krate as _;
