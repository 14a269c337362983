//! A session that stays on its thread, shared with other threads in type only.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::mem;

use logto_storage_core::{AllSeen, Changes, Error, Operation, Result, SessionHandle};
use send_wrapper::SendWrapper;

/// Makes a session handle that is not `Sync`, such as actix-session's, `Send` and `Sync`.
///
/// A vault requires a session handle that is `Sync`. Wrap any other in a `ThreadBound` on the thread that has the
/// session. Frameworks with such sessions run a request on one thread.
///
/// ```
/// use std::rc::Rc;
///
/// use logto_storage_core::{MemorySession, SessionHandle};
/// use logto_vault::ThreadBound;
///
/// fn spawns(session: impl SessionHandle + Send + Sync + 'static) {}
///
/// let session = Rc::new(MemorySession::default());
/// spawns(ThreadBound::new(session));
/// ```
///
/// # Other threads
///
/// On another thread, every call fails with [`Unsupported`](logto_storage_core::ErrorKind::Unsupported), and changes
/// nothing.
///
/// A session must not be dropped on another thread either. If the wrapper is dropped there, the session is leaked: its
/// memory is not freed, and what its `Drop` would do never happens. Keep the wrapper on its thread.
pub struct ThreadBound<H> {
    /// Only `None` while it is dropped.
    session: Option<SendWrapper<H>>,
}

impl<H> ThreadBound<H> {
    /// Binds the session to the current thread.
    pub fn new(session: H) -> Self {
        Self { session: Some(SendWrapper::new(session)) }
    }

    /// Returns the session, or `None` on another thread.
    pub fn get(&self) -> Option<&H> {
        self.session.as_ref().filter(|session| session.valid()).map(|session| &**session)
    }

    /// Returns the session, or the error of a call on another thread.
    fn on_its_thread(&self, operation: Operation) -> Result<&H> {
        self.get().ok_or_else(|| {
            Error::unsupported("the session is bound to another thread, so use it there").with_operation(operation)
        })
    }
}

impl<H> Drop for ThreadBound<H> {
    fn drop(&mut self) {
        let session = self.session.take();
        if session.as_ref().is_some_and(|session| !session.valid()) {
            // Its own `drop` would panic, and dropping the session here would not be sound.
            mem::forget(session);
        }
    }
}

/// Does not print the session, which may contain values.
impl<H> fmt::Debug for ThreadBound<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadBound").finish_non_exhaustive()
    }
}

impl<H: SessionHandle> SessionHandle for ThreadBound<H> {
    // The session's futures are `Send`, as the trait demands, though a reference to the session is not.
    fn read(&self, key: Cow<'_, str>) -> impl Future<Output = Result<Option<String>>> + Send {
        let reading = match self.on_its_thread(Operation::Get) {
            Ok(session) => Ok(session.read(key)),
            Err(error) => Err(error.with_key(key)),
        };
        async move { reading?.await }
    }

    fn write<'a>(&'a self, changes: Changes<'a>) -> impl Future<Output = Result<()>> + Send {
        let writing = self.on_its_thread(changes.operation()).map(|session| session.write(changes));
        async move { writing?.await }
    }

    fn write_if<'a>(&'a self, seen: AllSeen<'a>, changes: Changes<'a>) -> impl Future<Output = Result<()>> + Send {
        let writing = self.on_its_thread(Operation::ApplyIf).map(|session| session.write_if(seen, changes));
        async move { writing?.await }
    }

    fn check_renewal(&self) -> Result<()> {
        self.on_its_thread(Operation::Renew)?.check_renewal()
    }

    fn reload(&self) -> impl Future<Output = Result<bool>> + Send {
        let reloading = self.on_its_thread(Operation::Reload).map(SessionHandle::reload);
        async move { reloading?.await }
    }
}
