//! The bodies of the methods.
//!
//! Each method calls the session handle and returns the handle's future, or an `async` block that awaits it. An
//! `async fn` would capture `&self`: its future would not be `Send` for a session that is not `Sync`, and it would take
//! longer to compile.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{LitInt, Path};

use crate::ast::{Container, Data, Field, Fields};
use crate::receiver::Receiver;

pub(crate) struct Methods<'a> {
    container: &'a Container<'a>,
    /// Those of the struct, or of each variant.
    receivers: Vec<Receivers>,
}

/// The session and the prefix as the generated code calls them.
struct Receivers {
    session: Receiver,
    prefix: Option<Receiver>,
}

/// Which fields the pattern of a variant binds.
#[derive(Clone, Copy, PartialEq)]
enum Bindings {
    Session,
    SessionAndPrefix,
}

impl<'a> Methods<'a> {
    pub(crate) fn new(container: &'a Container<'a>) -> Self {
        let all_fields = container.data.all_fields().into_iter();
        Self { container, receivers: all_fields.map(|fields| Receivers::new(container, fields)).collect() }
    }

    pub(crate) fn get_item(&self) -> TokenStream {
        let call = self.on_fields(Bindings::SessionAndPrefix, |fields| {
            let key = match self.prefix(fields) {
                None => quote!(::std::borrow::Cow::Borrowed(__logto_key)),
                Some(prefix) => quote!(::std::borrow::Cow::Owned(
                    <[&::core::primitive::str]>::concat(&[#prefix, __logto_key])
                )),
            };
            fields.session.call("read", key)
        });
        self.future(call)
    }

    pub(crate) fn set_item(&self) -> TokenStream {
        let krate = self.krate();
        self.write_limited(&quote!(#krate::Changes::one(#krate::Change::set(__logto_key, __logto_value))))
    }

    pub(crate) fn remove_item(&self) -> TokenStream {
        let krate = self.krate();
        self.write(&quote!(#krate::Changes::one(#krate::Change::remove(__logto_key))))
    }

    pub(crate) fn apply(&self) -> TokenStream {
        let krate = self.krate();
        self.write_limited(&quote!(#krate::Changes::all(__logto_changes)))
    }

    pub(crate) fn apply_if(&self) -> TokenStream {
        let krate = self.krate();
        self.write_limited_by(&quote!(#krate::Changes::all(__logto_changes)), |fields, changes| {
            let prefixed = self.prefixed(fields);
            fields.session.call("write_if", quote!(#krate::AllSeen::new(__logto_seen) #prefixed, #changes))
        })
    }

    pub(crate) fn apply_expiring(&self) -> TokenStream {
        let krate = self.krate();
        self.write_limited(&quote!(#krate::Changes::all(__logto_changes).expiring_after(__logto_lifetime)))
    }

    pub(crate) fn renew(&self) -> TokenStream {
        let krate = self.krate();
        self.write_limited(&quote!(#krate::Changes::all(__logto_changes).renewing()))
    }

    /// The only method that returns no future: the variants' calls have one type.
    pub(crate) fn check_renewal(&self) -> TokenStream {
        self.on_variants(Bindings::Session, |_, fields| fields.session.call("check_renewal", quote!()))
    }

    pub(crate) fn reload(&self) -> TokenStream {
        self.future(self.on_fields(Bindings::Session, |fields| fields.session.call("reload", quote!())))
    }

    fn write(&self, changes: &TokenStream) -> TokenStream {
        self.write_by(changes, |fields, changes| fields.session.call("write", changes))
    }

    fn write_limited(&self, changes: &TokenStream) -> TokenStream {
        self.write_limited_by(changes, |fields, changes| fields.session.call("write", changes))
    }

    fn write_by(&self, changes: &TokenStream, call: impl Fn(&Receivers, TokenStream) -> TokenStream) -> TokenStream {
        let call =
            self.on_fields(Bindings::SessionAndPrefix, |fields| call(fields, self.with_options(changes, fields)));
        self.future(call)
    }

    fn write_limited_by(
        &self,
        changes: &TokenStream,
        call: impl Fn(&Receivers, TokenStream) -> TokenStream,
    ) -> TokenStream {
        match &self.container.attrs.max_len {
            None => self.write_by(changes, call),
            Some(max_len) => self.write_up_to(max_len, changes, call),
        }
    }

    /// The call is a `Result`: the handle's future, or the error if a value is too long.
    fn write_up_to(
        &self,
        max_len: &LitInt,
        changes: &TokenStream,
        call: impl Fn(&Receivers, TokenStream) -> TokenStream,
    ) -> TokenStream {
        let call = self.on_fields(Bindings::SessionAndPrefix, |fields| {
            let changes = self.with_options(changes, fields);
            let write = call(fields, quote!(__logto_changes));
            quote!(::core::result::Result::map(#changes.limited(#max_len), |__logto_changes| #write))
        });
        self.awaited(&call, &quote!(__logto_call?.await))
    }

    fn with_options(&self, changes: &TokenStream, fields: &Receivers) -> TokenStream {
        let prefixed = self.prefixed(fields);
        let deferred = self.container.attrs.deferred.then(|| quote!(.deferred()));
        quote!(#changes #prefixed #deferred)
    }

    fn prefixed(&self, fields: &Receivers) -> Option<TokenStream> {
        self.prefix(fields).map(|prefix| quote!(.prefixed(#prefix)))
    }

    fn prefix(&self, fields: &Receivers) -> Option<TokenStream> {
        match (&self.container.attrs.prefix, &fields.prefix) {
            (Some(prefix), _) => Some(prefix.to_token_stream()),
            (None, Some(prefix)) => Some(prefix.call("as_ref", quote!())),
            (None, None) => None,
        }
    }

    /// `call` on the fields of the struct, or on those of the current variant.
    ///
    /// The variants' calls have different types. They are nested in `Ok` and `Err` to have one.
    fn on_fields(&self, bindings: Bindings, call: impl Fn(&Receivers) -> TokenStream) -> TokenStream {
        let count = self.receivers.len();
        self.on_variants(bindings, |index, receivers| nest(index, count, call(receivers)))
    }

    fn on_variants(&self, bindings: Bindings, call: impl Fn(usize, &Receivers) -> TokenStream) -> TokenStream {
        let variants = match self.container.data {
            Data::Struct(_) => return call(0, &self.receivers[0]),
            Data::Enum(variants) => variants,
        };
        let arms = variants.iter().zip(&self.receivers).enumerate().map(|(index, (variant, receivers))| {
            let (name, pattern) = (&variant.original.ident, pattern(&variant.fields, bindings));
            let call = call(index, receivers);
            quote!(Self::#name { #pattern .. } => #call,)
        });
        quote!(match self { #(#arms)* })
    }

    /// The future of a call: the handle's own, unless there are several types of it.
    fn future(&self, call: TokenStream) -> TokenStream {
        if self.receivers.len() == 1 { call } else { self.awaited(&call, &quote!(__logto_call.await)) }
    }

    /// An `async` block that awaits `__logto_call`.
    fn awaited(&self, call: &TokenStream, awaited: &TokenStream) -> TokenStream {
        let count = self.receivers.len();
        let awaited = if count == 1 {
            awaited.clone()
        } else {
            let patterns = (0..count).map(|index| nest(index, count, quote!(__logto_call)));
            quote!(match __logto_call { #(#patterns => #awaited,)* })
        };
        quote! {
            let __logto_call = #call;
            async move { #awaited }
        }
    }

    fn krate(&self) -> &Path {
        self.container.krate
    }
}

impl Receivers {
    fn new(container: &Container, fields: &Fields) -> Self {
        let Container { krate, data, .. } = container;
        let receiver = |field: &Field, functions, name| {
            let value = if let Data::Struct(_) = data {
                let member = &field.member;
                quote!(self.#member)
            } else {
                let binding = binding(name);
                quote!(*#binding)
            };
            Receiver::new(&field.original.ty, functions, value)
        };
        let as_str = |field| receiver(field, quote!(::core::convert::AsRef::<::core::primitive::str>::), "prefix");
        Self {
            session: receiver(&fields.session, quote!(#krate::SessionHandle::), "session"),
            prefix: fields.prefix.as_ref().map(as_str),
        }
    }
}

fn pattern(fields: &Fields, bindings: Bindings) -> TokenStream {
    let prefix = fields.prefix.as_ref().filter(|_| bindings == Bindings::SessionAndPrefix);
    let bound = [Some((&fields.session, "session")), prefix.map(|prefix| (prefix, "prefix"))];
    let bound = bound.into_iter().flatten().map(|(Field { member, .. }, name)| {
        let binding = binding(name);
        quote!(#member: #binding,)
    });
    bound.collect()
}

fn binding(name: &str) -> Ident {
    format_ident!("__logto_{name}")
}

/// Nests `inner`, which belongs to variant `index` of `count`, in `Ok` and `Err`.
fn nest(index: usize, count: usize, inner: TokenStream) -> TokenStream {
    let half = count / 2;
    if count == 1 {
        inner
    } else if index < half {
        let inner = nest(index, half, inner);
        quote!(::core::result::Result::Ok(#inner))
    } else {
        let inner = nest(index - half, count - half, inner);
        quote!(::core::result::Result::Err(#inner))
    }
}
