import type { EntityDefinition, Shape, ShapeOf } from '../../core/model/types.ts';
import type { SessionFields, SessionRecord } from './session-record.ts';

/** The types of an entity that can be a session. */
export interface SessionShape extends Shape {
  readonly entity: SessionFields;
  readonly id: string;
}

/** A class that extends `SessionRecord`, or what `defineEntity` made with `sessionFields`. */
export type SessionSource = (new () => SessionRecord) | SessionDefinition;

/** What `defineEntity` made with `sessionFields`. */
// A class has a name, too: without the second part any would do.
export type SessionDefinition = EntityDefinition<SessionShape> & { readonly prototype?: never };

/** What {@link Sessions.validate} resolves to. */
export type SessionOf<Source extends SessionSource> = ShapeOf<Source>['entity'];

/** The fields that `Sessions` sets. */
export type ManagedField = keyof SessionFields;

/** What {@link Sessions.create} takes: `userId`, and the fields of your own. */
export type SessionInput<Source extends SessionSource> = Omit<
  ShapeOf<Source>['input'],
  Exclude<ManagedField, 'userId'>
>;

type Simplify<T> = { [K in keyof T]: T[K] };

/** What {@link Sessions.mutate} hands to its function: fields of your own to change, the others to read. */
export type SessionDraft<Source extends SessionSource> = Simplify<
  Omit<SessionOf<Source>, ManagedField> & {
    readonly [K in keyof SessionOf<Source> & ManagedField]: SessionOf<Source>[K];
  }
>;

/** Changes the draft in place; what it returns does not matter. May run several times. */
export type SessionMutation<Source extends SessionSource> = (draft: SessionDraft<Source>) => unknown;
