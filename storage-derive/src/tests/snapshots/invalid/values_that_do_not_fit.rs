::core::compile_error! {
    "expected a string literal, `prefix = \"tenant-a:\"`; for a prefix that is known only at run time, put `#[logto(prefix)]` on the field that holds it"
}
::core::compile_error! {
    "expected `save = \"immediate\"` (the default) or `save = \"deferred\"`"
}
::core::compile_error! {
    "expected a number of bytes, as an integer literal that fits a `usize`: `max_len = 65536`"
}
::core::compile_error! {
    "expected the path of the module that re-exports `LogtoStorage`, as a string literal: `crate = \"my_sdk::storage\"`"
}
::core::compile_error! {
    "`session` takes no value: write `#[logto(session)]`"
}
#[automatically_derived]
impl ::logto_storage_core::LogtoStorage for Storage {
    fn get_item(
        &self,
        __logto_key: &::core::primitive::str,
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<
            ::core::option::Option<::std::string::String>,
        >,
    > + ::core::marker::Send {
        ::core::future::pending()
    }
    fn set_item<'logto>(
        &'logto self,
        __logto_key: &'logto ::core::primitive::str,
        __logto_value: &'logto ::core::primitive::str,
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<()>,
    > + ::core::marker::Send {
        ::core::future::pending()
    }
    fn remove_item<'logto>(
        &'logto self,
        __logto_key: &'logto ::core::primitive::str,
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<()>,
    > + ::core::marker::Send {
        ::core::future::pending()
    }
    fn apply<'logto>(
        &'logto self,
        __logto_changes: &'logto [::logto_storage_core::Change<'logto>],
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<()>,
    > + ::core::marker::Send {
        ::core::future::pending()
    }
    fn apply_if<'logto>(
        &'logto self,
        __logto_seen: &'logto [::logto_storage_core::Seen<'logto>],
        __logto_changes: &'logto [::logto_storage_core::Change<'logto>],
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<()>,
    > + ::core::marker::Send {
        ::core::future::pending()
    }
    fn apply_expiring<'logto>(
        &'logto self,
        __logto_changes: &'logto [::logto_storage_core::Change<'logto>],
        __logto_lifetime: ::core::time::Duration,
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<()>,
    > + ::core::marker::Send {
        ::core::future::pending()
    }
    fn renew<'logto>(
        &'logto self,
        __logto_changes: &'logto [::logto_storage_core::Change<'logto>],
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<()>,
    > + ::core::marker::Send {
        ::core::future::pending()
    }
    fn check_renewal(&self) -> ::logto_storage_core::Result<()> {
        ::core::result::Result::Ok(())
    }
    fn reload(
        &self,
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<::core::primitive::bool>,
    > + ::core::marker::Send {
        ::core::future::pending()
    }
}
use ::logto_storage_core::attributes::prefix as _;
use ::logto_storage_core::attributes::save as _;
use ::logto_storage_core::attributes::max_len as _;
use ::logto_storage_core::attributes::krate as _;
use ::logto_storage_core::attributes::session as _;
