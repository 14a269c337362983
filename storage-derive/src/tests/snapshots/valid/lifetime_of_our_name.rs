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
    fn apply_if<'logto__>(
        &'logto__ self,
        __logto_seen: &'logto__ [::logto_storage_core::Seen<'logto__>],
        __logto_changes: &'logto__ [::logto_storage_core::Change<'logto__>],
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<()>,
    > + ::core::marker::Send {
        ::logto_storage_core::SessionHandle::write_if(
            &self.0,
            ::logto_storage_core::AllSeen::new(__logto_seen),
            ::logto_storage_core::Changes::all(__logto_changes),
        )
    }
    fn apply_expiring<'logto__>(
        &'logto__ self,
        __logto_changes: &'logto__ [::logto_storage_core::Change<'logto__>],
        __logto_lifetime: ::core::time::Duration,
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<()>,
    > + ::core::marker::Send {
        ::logto_storage_core::SessionHandle::write(
            &self.0,
            ::logto_storage_core::Changes::all(__logto_changes)
                .expiring_after(__logto_lifetime),
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
    fn check_renewal(&self) -> ::logto_storage_core::Result<()> {
        ::logto_storage_core::SessionHandle::check_renewal(&self.0)
    }
    fn reload(
        &self,
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<::core::primitive::bool>,
    > + ::core::marker::Send {
        ::logto_storage_core::SessionHandle::reload(&self.0)
    }
}
