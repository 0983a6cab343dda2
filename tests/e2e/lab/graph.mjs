// A stand-in for Microsoft 365: signing in is a real OpenID provider (npm oidc-provider), the data follows the documentation of
// Graph: pages, delta links, @removed, 410 for marks that are too old, 429 with Retry-After, errors with their codes.
//
// usage: node graph.mjs HOST PORT CONTROL_PORT FOLDER; FOLDER holds server.pem and server.key. Orders come as JSON to
// http://127.0.0.1:CONTROL_PORT/, which answers with JSON.

import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [host, port, control, folder] = process.argv.slice(2);
const require = createRequire(path.join(process.env.BALIE_LAB_NODE, 'package.json'));
const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')).href);

const base = `https://${host}:${port}`;
const SCOPES = ['User.Read', 'User.Read.All', 'Contacts.Read', 'Contacts.Read.Shared', 'People.Read', 'Calendars.ReadBasic', 'Calendars.ReadWrite'];
/** Everything that was given out, and the grants that it belongs to. */
const given = { tokens: [], grants: new Set() };
/** What is done to the next requests for data. */
const trouble = { busy: 0, after: 1, broken: 0, stale: 0, lost: 0 };
const seen = { requests: 0, full: 0, delta: 0, largest_schedule: 0 };

const provider = new Provider(base, {
  clients: [{
    client_id: 'balie-test', application_type: 'native', token_endpoint_auth_method: 'none', redirect_uris: ['http://localhost/'],
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'], response_types: ['code'],
  }],
  scopes: ['openid', 'offline_access', ...SCOPES],
  claims: { openid: ['sub'], profile: ['name', 'preferred_username'] },
  conformIdTokenClaims: false,
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: 'Jan de Wit', preferred_username: `${id}@zilver.example` }) }),
  features: { deviceFlow: { enabled: true }, devInteractions: { enabled: true }, revocation: { enabled: true } },
  routes: {
    authorization: '/organizations/oauth2/v2.0/authorize', token: '/organizations/oauth2/v2.0/token',
    device_authorization: '/organizations/oauth2/v2.0/devicecode', code_verification: '/device',
  },
  issueRefreshToken: async () => true,
  expiresWithSession: async () => false,
  rotateRefreshToken: true,
  ttl: { AccessToken: 3600, RefreshToken: 86400, DeviceCode: 120, AuthorizationCode: 60, Interaction: 600, Session: 600, Grant: 86400, IdToken: 600 },
  cookies: { keys: ['laboratory'] },
});
for (const kind of ['access_token', 'refresh_token', 'authorization_code', 'device_code']) {
  provider.on(`${kind}.saved`, (token) => {
    given.tokens.push(token.jti);
    if (token.grantId) given.grants.add(token.grantId);
  });
}

// --- the data ---

/** A collection with its changes: a mark is a place in them. */
class Collection {
  records = new Map();
  changes = [];
  /** Marks before this are too old. */
  oldest = 0;

  put(record) {
    this.records.set(record.id, record);
    this.changes.push(record.id);
  }

  remove(id) {
    this.records.delete(id);
    this.changes.push(id);
  }
}

const users = new Collection();
/** Mailboxes by their owner; folders by id, the usual one is ''. */
const mailboxes = new Map();
const people = new Map();
/** Who is busy when, by address: [{ status, start, end }], minutes from the beginning that is asked for. */
const schedules = new Map();
/** Events of the person's calendar, by transactionId: a second try with the same one makes no second event. */
const events = new Map();

function mailbox(owner) {
  if (!mailboxes.has(owner)) mailboxes.set(owner, new Map([['', { id: '', parent: null, name: 'Contacts', contacts: new Collection() }]]));
  return mailboxes.get(owner);
}

const order = {
  user: ({ record }) => users.put(record),
  user_gone: ({ id }) => users.remove(id),
  person: ({ record }) => people.set(record.id, record),
  folder: ({ owner = 'me', id, name, parent = '' }) => mailbox(owner).set(id, { id, name, parent, contacts: new Collection() }),
  folder_gone: ({ owner = 'me', id }) => mailbox(owner).delete(id),
  contact: ({ owner = 'me', folder: where = '', record }) => mailbox(owner).get(where).contacts.put(record),
  contact_gone: ({ owner = 'me', folder: where = '', id }) => mailbox(owner).get(where).contacts.remove(id),
  schedule: ({ address, items }) => schedules.set(address, items),
  /** All marks are too old from now on. */
  outdate: () => {
    const all = [users, ...[...mailboxes.values()].flatMap((box) => [...box.values()].map((one) => one.contacts))];
    for (const one of all) {
      one.changes.push('nobody');
      one.oldest = one.changes.length;
    }
  },
  busy: ({ times, after }) => Object.assign(trouble, { busy: times, after }),
  /** An event is taken, and its answer does not arrive. */
  lost: ({ times }) => Object.assign(trouble, { lost: times }),
  events: () => [...events.values()],
  broken: ({ times }) => Object.assign(trouble, { broken: times }),
  /** Tokens run out before their time. */
  stale: ({ times }) => Object.assign(trouble, { stale: times }),
  /** Tokens for the data are worth nothing from now on. */
  expire: async () => { for (const token of given.tokens) await (await provider.AccessToken.find(token))?.destroy(); },
  /** Consent is withdrawn. */
  revoke: async () => {
    for (const grant of given.grants) {
      await provider.RefreshToken.revokeByGrantId(grant);
      await (await provider.Grant.find(grant))?.destroy();
    }
  },
  seen: () => ({ ...seen, tokens: given.tokens }),
  everybody: () => {
    const all = [...users.records.values(), ...people.values()];
    for (const box of mailboxes.values()) for (const one of box.values()) all.push(...one.contacts.records.values());
    return all;
  },
};

// --- Graph ---

const fault = (status, code, headers = {}) => ({ status, headers, body: { error: { code, message: `${code} (laboratory)` } } });

/** A page of a collection's changes since a mark, or of all of it. */
function delta(collection, url, prefer) {
  const size = Math.min(Number(/odata\.maxpagesize=(\d+)/.exec(prefer)?.[1] ?? 100), 100);
  const skip = url.searchParams.get('$skiptoken');
  const mark = url.searchParams.get('$deltatoken');
  let [from, to, at] = [0, collection.changes.length, 0];
  if (skip !== null) [from, to, at] = skip.split('.').map(Number);
  else if (mark !== null) from = Number(mark);
  else seen.full += 1;
  if (mark !== null) seen.delta += 1;
  if ((mark !== null || skip !== null) && from > 0 && from < collection.oldest) return fault(410, 'syncStateNotFound');
  if (mark !== null && from === 0 && collection.oldest > 0) return fault(410, 'syncStateNotFound');
  const all = from === 0 ? [...collection.records.keys()] : [...new Set(collection.changes.slice(from, to))].filter((id) => id !== 'nobody');
  const value = all.slice(at, at + size).map((id) => collection.records.get(id) ?? { id, '@removed': { reason: 'deleted' } });
  const link = new URL(url);
  link.search = '';
  if (at + size < all.length) link.searchParams.set('$skiptoken', `${from}.${to}.${at + size}`);
  else link.searchParams.set('$deltatoken', String(to));
  const name = at + size < all.length ? '@odata.nextLink' : '@odata.deltaLink';
  return { status: 200, headers: {}, body: { '@odata.context': `${base}/v1.0/$metadata`, [name]: link.href, value } };
}

function list(all, url) {
  const size = Math.min(Number(url.searchParams.get('$top') ?? 10), 50);
  const at = Number(url.searchParams.get('$skip') ?? 0);
  const body = { value: all.slice(at, at + size) };
  if (at + size < all.length) {
    const link = new URL(url);
    link.searchParams.set('$skip', String(at + size));
    body['@odata.nextLink'] = link.href;
  }
  return { status: 200, headers: {}, body };
}

/** getSchedule: at most 20 mailboxes; a digit for every interval. */
function schedule(body) {
  const asked = body.schedules ?? [];
  seen.largest_schedule = Math.max(seen.largest_schedule, asked.length);
  if (asked.length > 20) return fault(400, 'TooManySchedules');
  const start = new Date(`${body.startTime.dateTime}Z`), end = new Date(`${body.endTime.dateTime}Z`);
  const every = body.availabilityViewInterval ?? 30;
  const digits = { free: 0, tentative: 1, busy: 2, oof: 3, workingElsewhere: 4 };
  const value = asked.map((scheduleId) => {
    const items = schedules.get(scheduleId);
    if (items === undefined) return { scheduleId, error: { responseCode: 'ErrorMailRecipientNotFound', message: 'not found' } };
    const view = Array.from({ length: Math.ceil((end - start) / 60_000 / every) }, (_, n) => {
      const hit = items.find((item) => item.start < (n + 1) * every && item.end > n * every);
      return String(hit === undefined ? 0 : digits[hit.status]);
    });
    const at = (minutes) => ({ dateTime: new Date(start.getTime() + minutes * 60_000).toISOString().replace('Z', '0000'), timeZone: 'UTC' });
    const scheduleItems = items.map((item) => ({ status: item.status, start: at(item.start), end: at(item.end), subject: item.subject, location: item.location, isPrivate: item.private }));
    return { scheduleId, availabilityView: view.join(''), scheduleItems };
  });
  return { status: 200, headers: {}, body: { value } };
}

/** A new event; null: the answer is lost. */
function event(body) {
  const known = events.get(body.transactionId) ?? { ...body, id: `event-${events.size}`, tries: 0 };
  known.tries += 1;
  events.set(body.transactionId, known);
  if (trouble.lost > 0) {
    trouble.lost -= 1;
    return null;
  }
  return { status: 201, headers: {}, body: known };
}

async function graph(request, url, body) {
  seen.requests += 1;
  if (trouble.broken > 0) {
    trouble.broken -= 1;
    return null;
  }
  if (trouble.busy > 0) {
    trouble.busy -= 1;
    return fault(429, 'TooManyRequests', { 'retry-after': String(trouble.after) });
  }
  const invalid = fault(401, 'InvalidAuthenticationToken', { 'www-authenticate': 'Bearer realm="", error="invalid_token"' });
  if (trouble.stale > 0) {
    trouble.stale -= 1;
    return invalid;
  }
  const token = await provider.AccessToken.find((request.headers.authorization ?? '').replace(/^Bearer /, ''));
  if (token === undefined || token.isExpired) return invalid;
  const may = (scope) => token.scopes.has(scope);
  const parts = url.pathname.split('/').slice(2).map(decodeURIComponent);
  const denied = fault(403, 'ErrorAccessDenied');
  const prefer = request.headers.prefer ?? '';
  if (parts.join('/') === 'me') return { status: 200, headers: {}, body: { id: 'jan', displayName: 'Jan de Wit', userPrincipalName: 'jan@zilver.example' } };
  if (parts.join('/') === 'me/people') return may('People.Read') ? list([...people.values()], url) : denied;
  if (parts.join('/') === 'users') return may('User.Read.All') ? list([...users.records.values()], url) : denied;
  if (parts.join('/') === 'users/delta') return may('User.Read.All') ? delta(users, url, prefer) : denied;
  if (parts.join('/') === 'me/calendar/getSchedule') return may('Calendars.ReadBasic') ? schedule(JSON.parse(body)) : denied;
  if (parts.join('/') === 'me/events' && request.method === 'POST') return may('Calendars.ReadWrite') ? event(JSON.parse(body)) : denied;
  const owner = parts[0] === 'me' ? 'me' : parts[1];
  const rest = parts[0] === 'me' ? parts.slice(1) : parts.slice(2);
  if (!may(owner === 'me' ? 'Contacts.Read' : 'Contacts.Read.Shared')) return denied;
  const box = mailboxes.get(owner);
  if (box === undefined) return fault(404, 'ResourceNotFound');
  const shown = (parent) => [...box.values()].filter((one) => one.parent === parent).map(({ id, name }) => ({ id, displayName: name }));
  if (rest.join('/') === 'contacts') return list([...box.get('').contacts.records.values()], url);
  if (rest.join('/') === 'contacts/delta') return delta(box.get('').contacts, url, prefer);
  if (rest[0] !== 'contactFolders') return fault(404, 'UnknownSegment');
  if (rest.length === 1) return list(shown(''), url);
  const one = box.get(rest[1]);
  if (one === undefined) return fault(404, 'ErrorItemNotFound');
  if (rest[2] === 'childFolders') return list(shown(one.id), url);
  return delta(one.contacts, url, prefer);
}

const whole = async (request) => {
  let text = '';
  for await (const part of request) text += part;
  return text;
};

const login = provider.callback();
const keys = { cert: fs.readFileSync(path.join(folder, 'server.pem')), key: fs.readFileSync(path.join(folder, 'server.key')) };
https.createServer(keys, async (request, response) => {
  const url = new URL(request.url, base);
  if (!url.pathname.startsWith('/v1.0/')) {
    // Microsoft asks for consent by itself; the provider wants to be told.
    if (url.searchParams.get('prompt') === 'select_account') {
      url.searchParams.set('prompt', 'consent');
      request.url = url.pathname + url.search;
    }
    return login(request, response);
  }
  const answer = await graph(request, url, await whole(request));
  if (answer === null) return request.socket.destroy();
  response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
  response.end(JSON.stringify(answer.body));
}).listen(Number(port), host);

http.createServer(async (request, response) => {
  const { what, ...rest } = JSON.parse(await whole(request));
  const orders = what === 'all' ? rest.orders : [{ what, ...rest }];
  let answer = null;
  for (const { what: name, ...of } of orders) answer = (await order[name](of)) ?? null;
  response.end(JSON.stringify(answer instanceof Map ? null : answer));
}).listen(Number(control), '127.0.0.1');
