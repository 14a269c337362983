::core::compile_error! {
    "duplicate `resource`: already `resource = \"api.example.com\"`, remove one of the two"
}
::core::compile_error! {
    "unknown key `scopes`: expected `#[logto(…)]` with one or more of `scope`, `crate`, `resource`"
}
::core::compile_error! {
    "`role` is not allowed here: derive `LogtoRole` for a role"
}
::core::compile_error! {
    "a scope has no space: derive a type for each scope, and require both with a tuple"
}
::core::compile_error! {
    "expected an absolute URI, `resource = \"https://api.example.com\"`"
}
::core::compile_error! {
    "expected the path of the module that re-exports `LogtoScope`, as a string literal: `crate = \"my_sdk::api\"`"
}
::core::compile_error! {
    "`WriteThings` has fields, but a scope is a type and never a value: write `struct WriteThings;`"
}
::core::compile_error! {
    "`WriteThings` has generic parameters, but stands for one scope: remove them"
}
#[automatically_derived]
impl<T> ::logto_client::api::LogtoScope for WriteThings<T> {
    const SCOPE: &'static ::core::primitive::str = "";
    const RESOURCE: ::core::option::Option<&'static ::core::primitive::str> = ::core::option::Option::None;
}
use ::logto_client::api::attributes::scope as _;
use ::logto_client::api::attributes::resource as _;
use ::logto_client::api::attributes::resource as _;
use ::logto_client::api::attributes::krate as _;
