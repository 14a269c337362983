// An OpenID provider that behaves as Logto does, since it is the library that Logto is built on, configured as Logto
// configures it. The first line of standard input has the options (see `oidc_provider.rs`); each later one is a command
// and gets one line as its answer. At the end of standard input the provider ends, too.

import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

import { Provider, errors } from 'oidc-provider';

const ORGANIZATIONS_SCOPE = 'urn:logto:scope:organizations';
const ORGANIZATIONS_RESOURCE = 'urn:logto:resource:organizations';

// Every user is a member of all these, with the same permissions.
const MEMBER_OF = ['org-1', 'org-2', 'org-3', 'org-4', 'org-5', 'org-6'];
const SCOPES = {
  'https://api.example.com': 'read:orders write:orders',
  'https://other.example.com': 'read:things',
  [ORGANIZATIONS_RESOURCE]: 'read:members',
};

// Standard output is for answers alone. The library's notices go there by default.
console.info = console.error;

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { basePath, clients, ...settings } = JSON.parse((await lines.next()).value);

// What was asked of the provider, in the order of its answers.
const requests = [];

// Token responses that are ready and held back, and who waits for the first of them.
const held = { responses: [], arrival: Promise.withResolvers() };

/** A table of the library's, in memory. */
class Table {
  static grants = new Map();
  #rows = new Map();
  #name;

  constructor(name) {
    this.#name = name;
  }

  async upsert(id, row) {
    this.#rows.set(id, row);
    if (row.grantId) {
      const destroyers = Table.grants.get(row.grantId) ?? [];
      Table.grants.set(row.grantId, [...destroyers, { name: this.#name, destroy: () => this.#rows.delete(id) }]);
    }
  }

  async find(id) {
    const row = this.#rows.get(id);
    // As in Logto a refresh token that was used up goes on working for some seconds, so that of requests at the same
    // time none fails.
    const grace = this.#name === 'RefreshToken' ? settings.graceSeconds * 1000 : 0;
    return row?.consumed && Date.now() - row.consumed < grace ? { ...row, consumed: undefined } : row;
  }

  async findByUid(uid) {
    return [...this.#rows.values()].find((row) => row.uid === uid);
  }

  async consume(id) {
    this.#rows.get(id).consumed ??= Date.now();
  }

  async destroy(id) {
    this.#rows.delete(id);
  }

  async revokeByGrantId(grantId) {
    for (const { name, destroy } of Table.grants.get(grantId) ?? []) {
      if (name === this.#name) destroy();
    }
  }
}

/** Logto's addition to the library: `organization_id` in a refresh request. */
class LogtoLikeProvider extends Provider {
  registerGrantType(name, handler, parameters, dupes) {
    if (name !== 'refresh_token') return super.registerGrantType(name, handler, parameters, dupes);
    const withOrganization = async (ctx) => {
      const { params, provider } = ctx.oidc;
      const token = params.organization_id && (await provider.RefreshToken.find(params.refresh_token));
      // The library's own handler deals with tokens that are no good.
      if (token && !token.consumed) {
        if (!token.scopes.has(ORGANIZATIONS_SCOPE)) {
          throw new errors.InsufficientScope('refresh token missing required scope', ORGANIZATIONS_SCOPE);
        }
        if (!MEMBER_OF.includes(params.organization_id)) {
          throw Object.assign(new errors.AccessDenied('user is not a member of the organization'), { statusCode: 403 });
        }
        // Its audience is the organization then, see `getResourceServerInfo`.
        params.resource ??= ORGANIZATIONS_RESOURCE;
      }
      return handler(ctx);
    };
    return super.registerGrantType(name, withOrganization, new Set([...parameters, 'organization_id']), dupes);
  }
}

const server = createServer().listen(0, '127.0.0.1');
await new Promise((listening) => server.on('listening', listening));
const origin = `http://127.0.0.1:${server.address().port}`;
const issuerPath = `${basePath}/oidc`;

const provider = new LogtoLikeProvider(origin + issuerPath, {
  adapter: Table,
  clients: clients.map(({ id, secret, redirectUris, postLogoutRedirectUris }) => ({
    client_id: id,
    client_secret: secret,
    token_endpoint_auth_method: secret ? 'client_secret_basic' : 'none',
    redirect_uris: redirectUris,
    post_logout_redirect_uris: postLogoutRedirectUris,
    grant_types: ['authorization_code', 'refresh_token'],
  })),
  clientDefaults: { id_token_signed_response_alg: 'ES384' },
  enabledJWA: { idTokenSigningAlgValues: ['ES384'] },
  jwks: { keys: [signingKey()] },
  clockTolerance: 0,
  cookies: { keys: [randomBytes(32).toString('hex')] },
  responseTypes: ['code'],
  pkce: { required: () => true },
  conformIdTokenClaims: false,
  claims: {
    profile: ['name', 'picture', 'username', 'created_at', 'updated_at'],
    email: ['email', 'email_verified'],
    phone: ['phone_number', 'phone_number_verified'],
    roles: ['roles'],
    custom_data: ['custom_data'],
    [ORGANIZATIONS_SCOPE]: ['organizations', 'organization_data'],
    'urn:logto:scope:organization_roles': ['organization_roles'],
  },
  findAccount: (ctx, id) => ({ accountId: id, claims: (use) => userClaims(id, use) }),
  features: {
    devInteractions: { enabled: false },
    dPoP: { enabled: false },
    pushedAuthorizationRequests: { enabled: false },
    revocation: { enabled: true, allowedPolicy: (ctx, client, token) => token.clientId === client.clientId },
    rpInitiatedLogout: {
      logoutSource: (ctx, form) => {
        ctx.body = page(`${form}<button form="op.logoutForm" name="logout" value="yes">Sign out</button>`);
      },
      postLogoutSuccessSource: (ctx) => {
        ctx.body = page('Signed out');
      },
    },
    resourceIndicators: {
      useGrantedResource: () => false,
      getResourceServerInfo: ({ oidc }, resource) => {
        const scope = SCOPES[resource];
        if (scope === undefined) throw new errors.InvalidTarget();
        const organization = resource === ORGANIZATIONS_RESOURCE && oidc.params.organization_id;
        const audience = organization ? `urn:logto:organization:${organization}` : resource;
        return { scope, audience, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES384' } } };
      },
    },
  },
  extraTokenClaims: ({ oidc }, { resourceServer }) => {
    const { organization_id } = oidc.params;
    const ofApi = resourceServer && resourceServer.identifier() !== ORGANIZATIONS_RESOURCE;
    return organization_id && ofApi ? { organization_id } : undefined;
  },
  interactions: {
    url: (ctx, { uid, params }) => {
      // Logto's own pages have a cookie that is raw JSON. Since cookies ignore ports, apps on this host get it, too.
      const forPages = JSON.stringify({ appId: params.client_id, resources: ['a', 'b'] });
      ctx.cookies.set('_logto', forPages, { sameSite: 'lax', overwrite: true, httpOnly: false, signed: false });
      return `${basePath}/interaction/${uid}`;
    },
  },
  rotateRefreshToken: ({ oidc }) => {
    if (settings.rotation !== 'logto') return settings.rotation === 'always';
    return oidc.client.clientAuthMethod === 'none' || oidc.entities.RefreshToken.ttlPercentagePassed() >= 70;
  },
  ttl: {
    AccessToken: () => settings.accessTokenSeconds,
    RefreshToken: () => settings.refreshTokenSeconds,
    AuthorizationCode: 60,
    Grant: 14 * 24 * 3600,
    IdToken: 3600,
    Interaction: 3600,
    Session: 14 * 24 * 3600,
  },
  renderError: (ctx, out) => {
    ctx.body = out;
  },
});

// The errors of the library in Logto's form, a record of all requests, and token responses that are held back.
provider.use(async (ctx, next) => {
  const request = { path: ctx.path, arrivedMs: Date.now() };
  await next();
  const params = ctx.oidc?.params ?? {};
  if (ctx.body?.error) {
    const { error, error_description: description = error } = ctx.body;
    ctx.body = { code: `oidc.${error}`, message: description, ...ctx.body };
  } else if (params.grant_type === 'refresh_token' && settings.omitRefreshToken) {
    delete ctx.body.refresh_token;
  }
  requests.push({
    ...request,
    status: ctx.status,
    error: ctx.body?.error,
    grantType: params.grant_type,
    code: hash(params.code),
    refreshToken: hash(params.refresh_token),
    resource: params.resource,
    organization: params.organization_id,
  });
  if (ctx.path === '/token' && settings.holdTokens) {
    await new Promise((release) => {
      held.responses.push(release);
      held.arrival.resolve();
    });
  }
});

const callback = provider.callback();
server.on('request', async (request, response) => {
  try {
    const { pathname } = new URL(request.url, origin);
    if (pathname.startsWith(`${issuerPath}/`)) {
      request.originalUrl = request.url;
      request.url = request.url.slice(issuerPath.length);
      await callback(request, response);
    } else if (pathname.startsWith(`${basePath}/interaction/`)) {
      await interact(request, response);
    } else {
      response.writeHead(404).end();
    }
  } catch (error) {
    response.writeHead(error.statusCode ?? 500).end(error.message);
  }
});
console.log(origin + basePath);

for await (const line of lines) {
  const { set, get } = JSON.parse(line);
  Object.assign(settings, set);
  if (set?.holdTokens === false) {
    for (const release of held.responses.splice(0)) release();
    held.arrival = Promise.withResolvers();
  }
  if (get === 'held') await held.arrival.promise;
  console.log(JSON.stringify(get === 'requests' ? requests : null));
}
process.exit();

/** The page where a user says who they are, and the one where they allow the app to know. */
async function interact(request, response) {
  const { prompt, session, grantId, params, lastSubmission } = await provider.interactionDetails(request, response);
  if (request.method === 'GET') {
    const field = prompt.name === 'login' ? '<input name="login" value="" required>' : '';
    const buttons = '<button name="allow" value="yes">Continue</button><button name="deny" value="yes">Deny</button>';
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(page(`<form method="post" action="${request.url}">${field}${buttons}</form>`));
    return;
  }
  const form = new URLSearchParams(await text(request));
  let result;
  if (form.has('deny')) {
    result = { error: 'access_denied', error_description: 'End-User aborted interaction' };
  } else if (prompt.name === 'login') {
    result = { login: { accountId: `id-of-${form.get('login')}` } };
  } else {
    const { accountId } = session ?? lastSubmission.login;
    const known = grantId && (await provider.Grant.find(grantId));
    const grant = known ?? new provider.Grant({ accountId, clientId: params.client_id });
    grant.addOIDCScope(prompt.details.missingOIDCScope ?? []);
    for (const [resource, scopes] of Object.entries(prompt.details.missingResourceScopes ?? {})) {
      grant.addResourceScope(resource, scopes);
    }
    result = { consent: { grantId: await grant.save() } };
  }
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

function userClaims(id, use) {
  const name = id.slice('id-of-'.length);
  return {
    sub: id,
    name,
    username: name,
    picture: null,
    created_at: 1700000000000,
    updated_at: 1700000000000,
    email: `${name}@example.com`,
    email_verified: true,
    phone_number: null,
    phone_number_verified: false,
    roles: ['customer'],
    organizations: MEMBER_OF,
    organization_roles: MEMBER_OF.map((organization) => `${organization}:member`),
    ...(use === 'userinfo' && {
      custom_data: { theme: 'dark' },
      organization_data: MEMBER_OF.map((organization) => ({ id: organization, name: organization, description: null })),
    }),
  };
}

function signingKey() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  return { ...privateKey.export({ format: 'jwk' }), alg: 'ES384', use: 'sig' };
}

function page(body) {
  return `<!DOCTYPE html><html lang="en"><title>Provider</title><body>${body}</body></html>`;
}

/** What tells two secrets apart without telling what they are. */
function hash(secret) {
  return secret && createHash('sha256').update(secret).digest('hex').slice(0, 16);
}

async function text(request) {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
}
