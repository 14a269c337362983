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
        ::logto_storage_core::SessionHandle::read(
            &self.0,
            ::std::borrow::Cow::Borrowed(__logto_key),
        )
    }
    fn set_item<'logto>(
        &'logto self,
        __logto_key: &'logto ::core::primitive::str,
        __logto_value: &'logto ::core::primitive::str,
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<()>,
    > + ::core::marker::Send {
        let __logto_call = ::core::result::Result::map(
            ::logto_storage_core::Changes::one(
                    ::logto_storage_core::Change::set(__logto_key, __logto_value),
                )
                .limited(4096),
            |__logto_changes| ::logto_storage_core::SessionHandle::write(
                &self.0,
                __logto_changes,
            ),
        );
        async move { __logto_call?.await }
    }
    fn remove_item<'logto>(
        &'logto self,
        __logto_key: &'logto ::core::primitive::str,
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
    fn apply<'logto>(
        &'logto self,
        __logto_changes: &'logto [::logto_storage_core::Change<'logto>],
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<()>,
    > + ::core::marker::Send {
        let __logto_call = ::core::result::Result::map(
            ::logto_storage_core::Changes::all(__logto_changes).limited(4096),
            |__logto_changes| ::logto_storage_core::SessionHandle::write(
                &self.0,
                __logto_changes,
            ),
        );
        async move { __logto_call?.await }
    }
    fn apply_if<'logto>(
        &'logto self,
        __logto_seen: &'logto [::logto_storage_core::Seen<'logto>],
        __logto_changes: &'logto [::logto_storage_core::Change<'logto>],
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<()>,
    > + ::core::marker::Send {
        let __logto_call = ::core::result::Result::map(
            ::logto_storage_core::Changes::all(__logto_changes).limited(4096),
            |__logto_changes| ::logto_storage_core::SessionHandle::write_if(
                &self.0,
                ::logto_storage_core::AllSeen::new(__logto_seen),
                __logto_changes,
            ),
        );
        async move { __logto_call?.await }
    }
    fn apply_expiring<'logto>(
        &'logto self,
        __logto_changes: &'logto [::logto_storage_core::Change<'logto>],
        __logto_lifetime: ::core::time::Duration,
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<()>,
    > + ::core::marker::Send {
        let __logto_call = ::core::result::Result::map(
            ::logto_storage_core::Changes::all(__logto_changes)
                .expiring_after(__logto_lifetime)
                .limited(4096),
            |__logto_changes| ::logto_storage_core::SessionHandle::write(
                &self.0,
                __logto_changes,
            ),
        );
        async move { __logto_call?.await }
    }
    fn renew<'logto>(
        &'logto self,
        __logto_changes: &'logto [::logto_storage_core::Change<'logto>],
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<()>,
    > + ::core::marker::Send {
        let __logto_call = ::core::result::Result::map(
            ::logto_storage_core::Changes::all(__logto_changes).renewing().limited(4096),
            |__logto_changes| ::logto_storage_core::SessionHandle::write(
                &self.0,
                __logto_changes,
            ),
        );
        async move { __logto_call?.await }
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
use ::logto_storage_core::attributes::max_len as _;
