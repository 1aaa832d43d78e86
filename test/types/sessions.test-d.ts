import type { SessionData } from 'express-session';
import { z } from 'zod';
import { type Database, type Default, defineEntity, Entity, Field, NorimakiError } from '../../src/index.ts';
import { SessionRecord, Sessions, sessionFields } from '../../src/patterns/index.ts';
import { expressSessions } from '../../src/web/express/index.ts';
import { NorimakiStore } from '../../src/web/express-session/index.ts';
import { fetchSessions } from '../../src/web/fetch/index.ts';

@Entity('session')
class AppSession extends SessionRecord {
  @Field(z.array(z.string())) roles!: string[];
  @Field(z.string()) theme: Default<string> = 'dark';

  isAdmin(): boolean {
    return this.roles.includes('admin');
  }
}

@Entity('member session')
class MemberSession extends SessionRecord {
  // Here nobody is anonymous.
  @Field(z.string().min(1)) override userId: string = '';
}

declare const db: Database;
const options = { name: 'web', secrets: ['s'] };
const sessions = new Sessions(db, AppSession, options);

sessions.create({ userId: 'mia', roles: [] });
sessions.create({ roles: [], theme: 'light' });
// @ts-expect-error a field is missing.
sessions.create({ userId: 'mia' });
// @ts-expect-error a wrong type.
sessions.create({ roles: [7] });
// @ts-expect-error an unknown field.
sessions.create({ roles: [], colour: 'red' });
// @ts-expect-error Sessions sets it.
sessions.create({ roles: [], expiresAt: new Date() });
// @ts-expect-error a method is no field.
sessions.create({ roles: [], isAdmin: () => true });
const members = new Sessions(db, MemberSession, options);
members.create({ userId: 'mia' });
// @ts-expect-error it is required here.
members.create({});

const found = await sessions.validate('token');
found?.roles satisfies string[] | undefined;
found?.isAdmin() satisfies boolean | undefined;
found?.fresh('5m') satisfies boolean | undefined;
found?.userId satisfies string | undefined;
// @ts-expect-error there may be none.
found.roles;
// @ts-expect-error five minutes is '5m'.
found?.fresh('5 minutes');

sessions.mutate('token', (session) => {
  session.roles.push('admin');
  session.theme = 'light';
  session.expiresAt.getTime();
  session.isAdmin() satisfies boolean;
  // @ts-expect-error Sessions sets it.
  session.expiresAt = new Date();
  // @ts-expect-error logging in is for rotate.
  session.userId = 'tom';
  // @ts-expect-error a wrong type.
  session.theme = 7;
});
if (found !== undefined) sessions.mutate(found, async (session) => void session.roles.pop());
sessions.rotate('token', { userId: 'mia', change: (session) => void session.roles.push('admin') });
for await (const session of sessions.list('mia')) session.isAdmin() satisfies boolean;
if (found !== undefined) sessions.revoke(found);
// @ts-expect-error neither a token nor a session.
sessions.revoke(7);

const Plain = defineEntity('plain', z.object({ ...sessionFields, theme: z.string().default('dark') }), {
  id: 'id',
  deadline: 'expiresAt',
});
const plain = new Sessions(db, Plain, options);
plain.create({ userId: 'mia' });
plain.create({ theme: 'light' });
// @ts-expect-error a wrong type.
plain.create({ theme: 7 });
plain.mutate('token', (session) => {
  session.theme = 'light';
  // @ts-expect-error Sessions sets it.
  session.epoch = 'x';
});
// @ts-expect-error an entity without the fields of a session.
new Sessions(db, defineEntity('other', z.object({ id: z.string() }), { id: 'id' }), options);
// @ts-expect-error a class that is no SessionRecord.
new Sessions(db, class {}, options);
// @ts-expect-error without a secret.
new Sessions(db, AppSession, { name: 'web' });

declare const request: import('express').Request;
const middleware = expressSessions(sessions);
middleware.of(request).current?.roles satisfies string[] | undefined;
// @ts-expect-error a field is missing.
middleware.of(request).create({ userId: 'mia' });
const handler = fetchSessions(sessions).wrap((given: Request, session, context: { params: { id: string } }) => {
  session.current?.isAdmin();
  return Response.json([given.url, context.params.id]);
});
handler satisfies (given: Request, context: { params: { id: string } }) => Promise<Response>;

declare const data: SessionData;
new NorimakiStore(db).set('sid', data);

declare const error: unknown;
if (NorimakiError.is(error, 'session.tooMany')) error.details.limit satisfies number;
if (NorimakiError.match(error, 'session.')) error.details.sessions satisfies string;
if (NorimakiError.is(error, 'session.tooLate')) error.details.sessions satisfies string;
