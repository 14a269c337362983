#[deny(warnings)]
#[allow(deprecated)]
#[automatically_derived]
impl my_sdk::api::LogtoScope for WriteThings {
    const SCOPE: &'static ::core::primitive::str = "write:things";
    const RESOURCE: ::core::option::Option<&'static ::core::primitive::str> = ::core::option::Option::Some(
        "https://api.example.com",
    );
}
use my_sdk::api::attributes::scope as _;
use my_sdk::api::attributes::resource as _;
use my_sdk::api::attributes::krate as _;
