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
        match self {
            Self::Web { 0: __logto_session, .. } => {
                ::logto_storage_core::SessionHandle::read(
                    &*__logto_session,
                    ::std::borrow::Cow::Borrowed(__logto_key),
                )
            }
        }
    }
    fn set_item<'logto>(
        &'logto self,
        __logto_key: &'logto ::core::primitive::str,
        __logto_value: &'logto ::core::primitive::str,
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<()>,
    > + ::core::marker::Send {
        match self {
            Self::Web { 0: __logto_session, .. } => {
                ::logto_storage_core::SessionHandle::write(
                    &*__logto_session,
                    ::logto_storage_core::Changes::one(
                        ::logto_storage_core::Change::set(__logto_key, __logto_value),
                    ),
                )
            }
        }
    }
    fn remove_item<'logto>(
        &'logto self,
        __logto_key: &'logto ::core::primitive::str,
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<()>,
    > + ::core::marker::Send {
        match self {
            Self::Web { 0: __logto_session, .. } => {
                ::logto_storage_core::SessionHandle::write(
                    &*__logto_session,
                    ::logto_storage_core::Changes::one(
                        ::logto_storage_core::Change::remove(__logto_key),
                    ),
                )
            }
        }
    }
    fn apply<'logto>(
        &'logto self,
        __logto_changes: &'logto [::logto_storage_core::Change<'logto>],
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<()>,
    > + ::core::marker::Send {
        match self {
            Self::Web { 0: __logto_session, .. } => {
                ::logto_storage_core::SessionHandle::write(
                    &*__logto_session,
                    ::logto_storage_core::Changes::all(__logto_changes),
                )
            }
        }
    }
    fn apply_if<'logto>(
        &'logto self,
        __logto_seen: &'logto [::logto_storage_core::Seen<'logto>],
        __logto_changes: &'logto [::logto_storage_core::Change<'logto>],
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<()>,
    > + ::core::marker::Send {
        match self {
            Self::Web { 0: __logto_session, .. } => {
                ::logto_storage_core::SessionHandle::write_if(
                    &*__logto_session,
                    ::logto_storage_core::AllSeen::new(__logto_seen),
                    ::logto_storage_core::Changes::all(__logto_changes),
                )
            }
        }
    }
    fn apply_expiring<'logto>(
        &'logto self,
        __logto_changes: &'logto [::logto_storage_core::Change<'logto>],
        __logto_lifetime: ::core::time::Duration,
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<()>,
    > + ::core::marker::Send {
        match self {
            Self::Web { 0: __logto_session, .. } => {
                ::logto_storage_core::SessionHandle::write(
                    &*__logto_session,
                    ::logto_storage_core::Changes::all(__logto_changes)
                        .expiring_after(__logto_lifetime),
                )
            }
        }
    }
    fn renew<'logto>(
        &'logto self,
        __logto_changes: &'logto [::logto_storage_core::Change<'logto>],
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<()>,
    > + ::core::marker::Send {
        match self {
            Self::Web { 0: __logto_session, .. } => {
                ::logto_storage_core::SessionHandle::write(
                    &*__logto_session,
                    ::logto_storage_core::Changes::all(__logto_changes).renewing(),
                )
            }
        }
    }
    fn check_renewal(&self) -> ::logto_storage_core::Result<()> {
        match self {
            Self::Web { 0: __logto_session, .. } => {
                ::logto_storage_core::SessionHandle::check_renewal(&*__logto_session)
            }
        }
    }
    fn reload(
        &self,
    ) -> impl ::core::future::Future<
        Output = ::logto_storage_core::Result<::core::primitive::bool>,
    > + ::core::marker::Send {
        match self {
            Self::Web { 0: __logto_session, .. } => {
                ::logto_storage_core::SessionHandle::reload(&*__logto_session)
            }
        }
    }
}
