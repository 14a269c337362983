::core::compile_error! {
    "both `save = \"deferred\"` and `save = \"immediate\"`: only one may stay"
}
::core::compile_error! {
    "the field `session` is marked both `session` and `prefix`: only one may stay"
}
::core::compile_error! {
    "there are two prefixes, \"tenant-a:\" for the whole item and the field `session`: only one may stay"
}
::core::compile_error! {
    "there are two prefixes, \"tenant-a:\" for the whole item and the field `tenant`: only one may stay"
}
::core::compile_error! {
    "`session` is on the field `session` and on the field `other`: only one may stay"
}
::core::compile_error! {
    "`prefix` is on the field `session` and on the field `tenant`: only one may stay"
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
    fn renew<'logto>(
        &'logto self,
        __logto_changes: &'logto [::logto_storage_core::Change<'logto>],
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<()>,
    > + ::core::marker::Send {
        ::core::future::pending()
    }
    fn reload(
        &self,
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<::core::primitive::bool>,
    > + ::core::marker::Send {
        ::core::future::pending()
    }
}
