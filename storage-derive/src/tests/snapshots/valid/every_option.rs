#[automatically_derived]
impl<'r> my_sdk::storage::LogtoStorage for Storage<'r> {
    fn get_item(
        &self,
        __logto_key: &::core::primitive::str,
    ) -> impl ::core::future::Future<
        Output = my_sdk::storage::Result<::core::option::Option<::std::string::String>>,
    > + ::core::marker::Send {
        my_sdk::storage::SessionHandle::read(
            &self.session,
            ::std::borrow::Cow::Owned(
                <[&::core::primitive::str]>::concat(
                    &[
                        ::core::convert::AsRef::<
                            ::core::primitive::str,
                        >::as_ref(&self.tenant),
                        __logto_key,
                    ],
                ),
            ),
        )
    }
    fn set_item<'logto>(
        &'logto self,
        __logto_key: &'logto ::core::primitive::str,
        __logto_value: &'logto ::core::primitive::str,
    ) -> impl ::core::future::Future<
        Output = my_sdk::storage::Result<()>,
    > + ::core::marker::Send {
        let __logto_call = ::core::result::Result::map(
            my_sdk::storage::Changes::one(
                    my_sdk::storage::Change::set(__logto_key, __logto_value),
                )
                .prefixed(
                    ::core::convert::AsRef::<
                        ::core::primitive::str,
                    >::as_ref(&self.tenant),
                )
                .deferred()
                .limited(4096),
            |__logto_changes| my_sdk::storage::SessionHandle::write(
                &self.session,
                __logto_changes,
            ),
        );
        async move { __logto_call?.await }
    }
    fn remove_item<'logto>(
        &'logto self,
        __logto_key: &'logto ::core::primitive::str,
    ) -> impl ::core::future::Future<
        Output = my_sdk::storage::Result<()>,
    > + ::core::marker::Send {
        my_sdk::storage::SessionHandle::write(
            &self.session,
            my_sdk::storage::Changes::one(my_sdk::storage::Change::remove(__logto_key))
                .prefixed(
                    ::core::convert::AsRef::<
                        ::core::primitive::str,
                    >::as_ref(&self.tenant),
                )
                .deferred(),
        )
    }
    fn apply<'logto>(
        &'logto self,
        __logto_changes: &'logto [my_sdk::storage::Change<'logto>],
    ) -> impl ::core::future::Future<
        Output = my_sdk::storage::Result<()>,
    > + ::core::marker::Send {
        let __logto_call = ::core::result::Result::map(
            my_sdk::storage::Changes::all(__logto_changes)
                .prefixed(
                    ::core::convert::AsRef::<
                        ::core::primitive::str,
                    >::as_ref(&self.tenant),
                )
                .deferred()
                .limited(4096),
            |__logto_changes| my_sdk::storage::SessionHandle::write(
                &self.session,
                __logto_changes,
            ),
        );
        async move { __logto_call?.await }
    }
    fn apply_if<'logto>(
        &'logto self,
        __logto_seen: &'logto [my_sdk::storage::Seen<'logto>],
        __logto_changes: &'logto [my_sdk::storage::Change<'logto>],
    ) -> impl ::core::future::Future<
        Output = my_sdk::storage::Result<()>,
    > + ::core::marker::Send {
        let __logto_call = ::core::result::Result::map(
            my_sdk::storage::Changes::all(__logto_changes)
                .prefixed(
                    ::core::convert::AsRef::<
                        ::core::primitive::str,
                    >::as_ref(&self.tenant),
                )
                .deferred()
                .limited(4096),
            |__logto_changes| my_sdk::storage::SessionHandle::write_if(
                &self.session,
                my_sdk::storage::AllSeen::new(__logto_seen)
                    .prefixed(
                        ::core::convert::AsRef::<
                            ::core::primitive::str,
                        >::as_ref(&self.tenant),
                    ),
                __logto_changes,
            ),
        );
        async move { __logto_call?.await }
    }
    fn apply_expiring<'logto>(
        &'logto self,
        __logto_changes: &'logto [my_sdk::storage::Change<'logto>],
        __logto_lifetime: ::core::time::Duration,
    ) -> impl ::core::future::Future<
        Output = my_sdk::storage::Result<()>,
    > + ::core::marker::Send {
        let __logto_call = ::core::result::Result::map(
            my_sdk::storage::Changes::all(__logto_changes)
                .expiring_after(__logto_lifetime)
                .prefixed(
                    ::core::convert::AsRef::<
                        ::core::primitive::str,
                    >::as_ref(&self.tenant),
                )
                .deferred()
                .limited(4096),
            |__logto_changes| my_sdk::storage::SessionHandle::write(
                &self.session,
                __logto_changes,
            ),
        );
        async move { __logto_call?.await }
    }
    fn renew<'logto>(
        &'logto self,
        __logto_changes: &'logto [my_sdk::storage::Change<'logto>],
    ) -> impl ::core::future::Future<
        Output = my_sdk::storage::Result<()>,
    > + ::core::marker::Send {
        let __logto_call = ::core::result::Result::map(
            my_sdk::storage::Changes::all(__logto_changes)
                .renewing()
                .prefixed(
                    ::core::convert::AsRef::<
                        ::core::primitive::str,
                    >::as_ref(&self.tenant),
                )
                .deferred()
                .limited(4096),
            |__logto_changes| my_sdk::storage::SessionHandle::write(
                &self.session,
                __logto_changes,
            ),
        );
        async move { __logto_call?.await }
    }
    fn check_renewal(&self) -> my_sdk::storage::Result<()> {
        my_sdk::storage::SessionHandle::check_renewal(&self.session)
    }
    fn reload(
        &self,
    ) -> impl ::core::future::Future<
        Output = my_sdk::storage::Result<::core::primitive::bool>,
    > + ::core::marker::Send {
        my_sdk::storage::SessionHandle::reload(&self.session)
    }
}
use my_sdk::storage::attributes::save as _;
use my_sdk::storage::attributes::max_len as _;
use my_sdk::storage::attributes::krate as _;
use my_sdk::storage::attributes::session as _;
use my_sdk::storage::attributes::prefix as _;
