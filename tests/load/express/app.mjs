// The sign-in example's pages with Logto's SDK for Express, as its guide has it. Where there is a choice, the faster one is
// taken: nothing is saved or touched by a page that changes nothing, there is no ETag, and the page is one template string.
import { handleAuthRoutes, withLogto } from '@logto/express';
import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import { createClient } from 'redis';

const { BASE_URL, LOGTO_ENDPOINT, LOGTO_APP_ID, LOGTO_APP_SECRET, LOGTO_RESOURCES, LOGTO_SCOPES, SESSION_STORE } =
  process.env;
const config = {
  endpoint: LOGTO_ENDPOINT,
  appId: LOGTO_APP_ID,
  appSecret: LOGTO_APP_SECRET,
  baseUrl: BASE_URL,
  scopes: LOGTO_SCOPES.split(' '),
  resources: LOGTO_RESOURCES.split(' '),
};

const store = SESSION_STORE === 'memory' ? new session.MemoryStore() : await redisStore(SESSION_STORE);
// Without it express-session neither renews a session's expiry at each page, nor sends each page in two pieces.
store.touch = undefined;

async function redisStore(url) {
  const client = createClient({ url });
  await client.connect();
  return new RedisStore({ client, prefix: 'express:' });
}

const headers = {
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Content-Security-Policy': `default-src 'none'; style-src 'self'; img-src data:; form-action 'self' ${new URL(LOGTO_ENDPOINT).origin}; base-uri 'none'; frame-ancestors 'none'`,
  'Cache-Control': 'no-store',
};

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.use((_request, response, next) => {
  response.set(headers);
  next();
});
app.use(
  session({
    secret: 'of a test that ends in a minute',
    store,
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: 14 * 24 * 60 * 60 * 1000, sameSite: 'lax' },
  }),
);
app.use(handleAuthRoutes(config));
app.get('/claims', withLogto(config), (request, response) => {
  const { isAuthenticated, claims } = request.user;
  if (!isAuthenticated) {
    response.redirect('/logto/sign-in');
    return;
  }
  response.type('html').send(claimsPage(claims));
});

const pages = [
  ['/', 'Home'],
  ['/claims', 'Claims'],
  ['/user-info', 'User info'],
  ['/access-token', 'Access token'],
  ['/organizations', 'Organizations'],
  ['/protected', 'Protected page'],
];

function claimsPage(claims) {
  const user = escape(claims.name ?? claims.username ?? claims.sub);
  return `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Claims – Sign-in example</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="/style.css">
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header>
  <a class="brand" href="/">Sign-in example</a>
  <div class="user">
    <span>Signed in as <strong>${user}</strong></span>
    <form method="post" action="/logto/sign-out"><button class="quiet">Sign out</button></form>
  </div>
</header>
<nav aria-label="Pages">
  <ul>
    ${pages.map(([path, label]) => `<li><a href="${path}"${path === '/claims' ? ' aria-current="page"' : ''}>${label}</a></li>`).join('\n    ')}
  </ul>
</nav>
<main id="main" tabindex="-1">
<h1>Claims</h1>
<p>The ID token says who signed in, and when. The app verified it before storing it in your session.</p>
<table>
  <caption>Claims of the ID token</caption>
  <thead><tr><th scope="col">Claim</th><th scope="col">Value</th></tr></thead>
  <tbody>
    ${Object.entries(claims)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `<tr><th scope="row">${escape(name)}</th><td>${escape(text(name, value))}</td></tr>`)
      .join('\n    ')}
  </tbody>
</table>
</main>
</body>
</html>
`;
}

function text(name, value) {
  if (['exp', 'iat', 'nbf', 'auth_time'].includes(name)) return date(value * 1000);
  if (['created_at', 'updated_at'].includes(name)) return date(value);
  if (Array.isArray(value)) return value.join(', ') || 'none';
  return String(value);
}

function date(milliseconds) {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

const escapes = { '&': '&#38;', '<': '&#60;', '>': '&#62;', '"': '&#34;', "'": '&#39;' };

function escape(text) {
  return text.replace(/[&<>"']/g, (character) => escapes[character]);
}

const server = app.listen(0, '127.0.0.1', () => {
  console.log(`Listening on http://localhost:${server.address().port}`);
});
