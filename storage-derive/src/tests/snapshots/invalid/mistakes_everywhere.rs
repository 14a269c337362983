::core::compile_error! {
    "unknown key `max_length`: expected `#[logto(…)]` with one or more of `max_len`, `save`, `prefix`, `crate`"
}
::core::compile_error! {
    "`#[logto(…)]` is not allowed on a variant"
}
::core::compile_error! {
    "`session` takes no value: write `#[logto(session)]`"
}
::core::compile_error! {
    "`Test` has 2 fields: mark the one that holds the session with `#[logto(session)]`"
}
::core::compile_error! {
    "`Tenant` has only a prefix: add a field with `#[logto(session)]`"
}
::core::compile_error! {
    "`None` has no fields: add one that holds the session"
}
#[automatically_derived]
impl<'logto, H: Clone, const N: usize> my_sdk::storage::LogtoStorage
for Storage<'logto, H, N>
where
    H: 'logto,
{
    fn get_item(
        &self,
        __logto_key: &::core::primitive::str,
    ) -> impl ::core::future::Future<
        Output = my_sdk::storage::Result<::core::option::Option<::std::string::String>>,
    > + ::core::marker::Send {
        ::core::future::pending()
    }
    fn set_item<'logto_>(
        &'logto_ self,
        __logto_key: &'logto_ ::core::primitive::str,
        __logto_value: &'logto_ ::core::primitive::str,
    ) -> impl ::core::future::Future<
        Output = my_sdk::storage::Result<()>,
    > + ::core::marker::Send {
        ::core::future::pending()
    }
    fn remove_item<'logto_>(
        &'logto_ self,
        __logto_key: &'logto_ ::core::primitive::str,
    ) -> impl ::core::future::Future<
        Output = my_sdk::storage::Result<()>,
    > + ::core::marker::Send {
        ::core::future::pending()
    }
    fn apply<'logto_>(
        &'logto_ self,
        __logto_changes: &'logto_ [my_sdk::storage::Change<'logto_>],
    ) -> impl ::core::future::Future<
        Output = my_sdk::storage::Result<()>,
    > + ::core::marker::Send {
        ::core::future::pending()
    }
    fn apply_if<'logto_>(
        &'logto_ self,
        __logto_seen: &'logto_ [my_sdk::storage::Seen<'logto_>],
        __logto_changes: &'logto_ [my_sdk::storage::Change<'logto_>],
    ) -> impl ::core::future::Future<
        Output = my_sdk::storage::Result<()>,
    > + ::core::marker::Send {
        ::core::future::pending()
    }
    fn apply_expiring<'logto_>(
        &'logto_ self,
        __logto_changes: &'logto_ [my_sdk::storage::Change<'logto_>],
        __logto_lifetime: ::core::time::Duration,
    ) -> impl ::core::future::Future<
        Output = my_sdk::storage::Result<()>,
    > + ::core::marker::Send {
        ::core::future::pending()
    }
    fn renew<'logto_>(
        &'logto_ self,
        __logto_changes: &'logto_ [my_sdk::storage::Change<'logto_>],
    ) -> impl ::core::future::Future<
        Output = my_sdk::storage::Result<()>,
    > + ::core::marker::Send {
        ::core::future::pending()
    }
    fn check_renewal(&self) -> my_sdk::storage::Result<()> {
        ::core::result::Result::Ok(())
    }
    fn reload(
        &self,
    ) -> impl ::core::future::Future<
        Output = my_sdk::storage::Result<::core::primitive::bool>,
    > + ::core::marker::Send {
        ::core::future::pending()
    }
}
use my_sdk::storage::attributes::krate as _;
use my_sdk::storage::attributes::session as _;
use my_sdk::storage::attributes::prefix as _;
