::core::compile_error! {
    "expected `#[logto(…)]` with one or more of `prefix`, `save`, `max_len`, `crate`"
}
::core::compile_error! {
    "expected `#[logto(…)]` with one or more of `prefix`, `save`, `max_len`, `crate`"
}
::core::compile_error! {
    "expected `#[logto(…)]` with one or more of `prefix`, `save`, `max_len`, `crate`"
}
::core::compile_error! {
    "expected `#[logto(…)]` with one or more of `prefix`, `save`, `max_len`, `crate`"
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
