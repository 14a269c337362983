#[automatically_derived]
impl ::logto_client::api::LogtoScope for WriteThings {
    const SCOPE: &'static ::core::primitive::str = "write:things";
    const RESOURCE: ::core::option::Option<&'static ::core::primitive::str> = ::core::option::Option::None;
}
use ::logto_client::api::attributes::scope as _;
