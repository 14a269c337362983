#[automatically_derived]
impl<'logto, 'logto_> ::logto_storage_core::LogtoStorage for Storage<'logto, 'logto_> {
    fn get_item(
        &self,
        __logto_key: &::core::primitive::str,
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<
            ::core::option::Option<::std::string::String>,
        >,
    > + ::core::marker::Send {
        ::logto_storage_core::SessionHandle::read(
            &self.0,
            ::std::borrow::Cow::Borrowed(__logto_key),
        )
    }
    fn set_item<'logto__>(
        &'logto__ self,
        __logto_key: &'logto__ ::core::primitive::str,
        __logto_value: &'logto__ ::core::primitive::str,
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<()>,
    > + ::core::marker::Send {
        ::logto_storage_core::SessionHandle::write(
            &self.0,
            ::logto_storage_core::Changes::one(
                ::logto_storage_core::Change::set(__logto_key, __logto_value),
            ),
        )
    }
    fn remove_item<'logto__>(
        &'logto__ self,
        __logto_key: &'logto__ ::core::primitive::str,
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<()>,
    > + ::core::marker::Send {
        ::logto_storage_core::SessionHandle::write(
            &self.0,
            ::logto_storage_core::Changes::one(
                ::logto_storage_core::Change::remove(__logto_key),
            ),
        )
    }
    fn apply<'logto__>(
        &'logto__ self,
        __logto_changes: &'logto__ [::logto_storage_core::Change<'logto__>],
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<()>,
    > + ::core::marker::Send {
        ::logto_storage_core::SessionHandle::write(
            &self.0,
            ::logto_storage_core::Changes::all(__logto_changes),
        )
    }
    fn renew<'logto__>(
        &'logto__ self,
        __logto_changes: &'logto__ [::logto_storage_core::Change<'logto__>],
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<()>,
    > + ::core::marker::Send {
        ::logto_storage_core::SessionHandle::write(
            &self.0,
            ::logto_storage_core::Changes::all(__logto_changes).renewing(),
        )
    }
    fn reload(
        &self,
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<::core::primitive::bool>,
    > + ::core::marker::Send {
        ::logto_storage_core::SessionHandle::reload(&self.0)
    }
}
