#[automatically_derived]
impl my_sdk::storage::LogtoStorage for Storage {
    fn get_item(
        &self,
        __logto_key: &::core::primitive::str,
    ) -> impl ::core::future::Future<
        Output = my_sdk::storage::Result<::core::option::Option<::std::string::String>>,
    > + ::core::marker::Send {
        my_sdk::storage::SessionHandle::read(
            &self.0,
            ::std::borrow::Cow::Borrowed(__logto_key),
        )
    }
    fn set_item<'logto>(
        &'logto self,
        __logto_key: &'logto ::core::primitive::str,
        __logto_value: &'logto ::core::primitive::str,
    ) -> impl ::core::future::Future<
        Output = my_sdk::storage::Result<()>,
    > + ::core::marker::Send {
        my_sdk::storage::SessionHandle::write(
            &self.0,
            my_sdk::storage::Changes::one(
                my_sdk::storage::Change::set(__logto_key, __logto_value),
            ),
        )
    }
    fn remove_item<'logto>(
        &'logto self,
        __logto_key: &'logto ::core::primitive::str,
    ) -> impl ::core::future::Future<
        Output = my_sdk::storage::Result<()>,
    > + ::core::marker::Send {
        my_sdk::storage::SessionHandle::write(
            &self.0,
            my_sdk::storage::Changes::one(my_sdk::storage::Change::remove(__logto_key)),
        )
    }
    fn apply<'logto>(
        &'logto self,
        __logto_changes: &'logto [my_sdk::storage::Change<'logto>],
    ) -> impl ::core::future::Future<
        Output = my_sdk::storage::Result<()>,
    > + ::core::marker::Send {
        my_sdk::storage::SessionHandle::write(
            &self.0,
            my_sdk::storage::Changes::all(__logto_changes),
        )
    }
    fn apply_if<'logto>(
        &'logto self,
        __logto_seen: &'logto [my_sdk::storage::Seen<'logto>],
        __logto_changes: &'logto [my_sdk::storage::Change<'logto>],
    ) -> impl ::core::future::Future<
        Output = my_sdk::storage::Result<()>,
    > + ::core::marker::Send {
        my_sdk::storage::SessionHandle::write_if(
            &self.0,
            my_sdk::storage::AllSeen::new(__logto_seen),
            my_sdk::storage::Changes::all(__logto_changes),
        )
    }
    fn apply_expiring<'logto>(
        &'logto self,
        __logto_changes: &'logto [my_sdk::storage::Change<'logto>],
        __logto_lifetime: ::core::time::Duration,
    ) -> impl ::core::future::Future<
        Output = my_sdk::storage::Result<()>,
    > + ::core::marker::Send {
        my_sdk::storage::SessionHandle::write(
            &self.0,
            my_sdk::storage::Changes::all(__logto_changes)
                .expiring_after(__logto_lifetime),
        )
    }
    fn renew<'logto>(
        &'logto self,
        __logto_changes: &'logto [my_sdk::storage::Change<'logto>],
    ) -> impl ::core::future::Future<
        Output = my_sdk::storage::Result<()>,
    > + ::core::marker::Send {
        my_sdk::storage::SessionHandle::write(
            &self.0,
            my_sdk::storage::Changes::all(__logto_changes).renewing(),
        )
    }
    fn check_renewal(&self) -> my_sdk::storage::Result<()> {
        my_sdk::storage::SessionHandle::check_renewal(&self.0)
    }
    fn reload(
        &self,
    ) -> impl ::core::future::Future<
        Output = my_sdk::storage::Result<::core::primitive::bool>,
    > + ::core::marker::Send {
        my_sdk::storage::SessionHandle::reload(&self.0)
    }
}
use my_sdk::storage::attributes::krate as _;
