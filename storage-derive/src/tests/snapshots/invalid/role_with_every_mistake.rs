::core::compile_error! {
    "duplicate `role`: already `role = \"admin\"`, remove one of the two"
}
::core::compile_error! {
    "`scope` is not allowed here: derive `LogtoScope` for a scope"
}
::core::compile_error! {
    "expected the path of the module that re-exports `Permission`, as a string literal: `crate = \"my_sdk::api\"`"
}
::core::compile_error! {
    "`Admin` has fields, but a role is a type and never a value: write `struct Admin;`"
}
::core::compile_error! {
    "`Admin` has generic parameters, but stands for one role: remove them"
}
::core::compile_error! {
    "a type stands for one role: derive another one for the role in an organization"
}
#[automatically_derived]
impl<T> ::logto_client::api::Permission for Admin<T> {
    const RULE: ::logto_client::api::Rule = ::logto_client::api::Rule::role("");
}
use ::logto_client::api::attributes::role as _;
use ::logto_client::api::attributes::role as _;
use ::logto_client::api::attributes::organization_role as _;
use ::logto_client::api::attributes::krate as _;
