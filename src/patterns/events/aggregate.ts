import { type $ZodObject, type $ZodType, safeEncode } from 'zod/v4/core';
import { schemaProblems } from '../../core/codec/index.ts';
import { NorimakiError } from '../../core/errors.ts';
import { checkName } from '../shared/options.ts';
import {
  type Aggregate,
  type AggregateOptions,
  type AggregateStream,
  CODEC,
  type EventOf,
  type EventSchemas,
  type PersonalFields,
} from './aggregate-types.ts';
import { EventCodec, type PersonalPlan } from './event-codec.ts';
import { checkStream } from './stream-id.ts';

/**
 * Says what can happen to one kind of thing: its events, what state they make, and which events a command leads to.
 * Everything else is inferred; annotate the command. Source: the decider,
 * https://thinkbeforecoding.com/post/2021/12/17/functional-event-sourcing-decider.
 *
 * Errors: `model.invalid` with every mistake in the definition.
 *
 * @example
 * ```ts
 * const Account = defineAggregate({
 *   name: 'account',
 *   events: { Deposited: z.object({ amount: z.number().positive() }) },
 *   initial: () => ({ balance: 0 }),
 *   evolve: (state, event) => ({ balance: state.balance + event.data.amount }),
 *   decide: (command: { type: 'Deposit'; amount: number }) => [{ type: 'Deposited', data: { amount: command.amount } }],
 * });
 * ```
 */
export function defineAggregate<const Name extends string, const Schemas extends EventSchemas, State, Command = never>(
  options: AggregateOptions<Name, Schemas, State, Command>,
): Aggregate<Name, EventOf<Schemas>, State, Command> {
  type Event = EventOf<Schemas>;
  const { version = 1, upcast = {}, initial, evolve, decide } = options;
  const name = checkName('category', options.name) as Name; // the same text
  const problems = problemsOf(options, version);
  const personal = personalPlans(options, problems);
  if (problems.length > 0) {
    throw new NorimakiError('model.invalid', `${name} is no aggregate: ${problems.join(' ')}`, {
      entity: name,
      problems,
    });
  }
  const codec = new EventCodec({ aggregate: name, version, events: options.events, upcast, personal });
  return Object.freeze({
    name,
    version,
    [CODEC]: codec,
    initial,
    evolve,
    decide: (command: Command, state: State): readonly Event[] => {
      if (decide === undefined) {
        throw new NorimakiError('argument.invalid', `${name} decides nothing: give its definition a decide.`, {
          argument: 'decide',
        });
      }
      const decided = decide(command, state);
      // An array is no event.
      return Array.isArray(decided) ? (decided as readonly Event[]) : [decided as Event];
    },
    stream: (id: string): AggregateStream<Event> => checkStream({ category: name, id }),
    event: <Type extends Event['type']>(type: Type, data: unknown, metadata?: unknown) =>
      // The parameters of the interface fit one another.
      (metadata === undefined ? { type, data } : { type, data, metadata }) as Extract<Event, { readonly type: Type }>,
  });
}

interface Checked {
  readonly events: EventSchemas;
  readonly upcast?: Readonly<Record<number, unknown>> | undefined;
}

function problemsOf({ events, upcast = {} }: Checked, version: number): string[] {
  const problems: string[] = [];
  if (!Number.isSafeInteger(version) || version < 1) problems.push('Its version is not a whole number from 1.');
  const types = Object.entries(events);
  if (types.length === 0) problems.push('It has no events.');
  for (const [type, schema] of types) {
    problems.push(...schemaProblems(schema).map((problem) => `Of the event ${type}: ${problem}`));
  }
  for (const from of Object.keys(upcast)) {
    if (!(Number(from) >= 1 && Number(from) < version)) {
      problems.push(`It has an upcast from version ${from}, and its version is ${version}: no event needs it.`);
    }
  }
  return problems;
}

interface WithPersonal {
  readonly events: EventSchemas;
  readonly personal?: { readonly [type: string]: PersonalFields<Record<string, unknown>> | undefined } | undefined;
}

function personalPlans(options: object, problems: string[]): ReadonlyMap<string, PersonalPlan> {
  // Without the types that tie fields to schemas; what they say is checked here for programs without types.
  const { events, personal = {} } = options as WithPersonal;
  const plans = new Map<string, PersonalPlan>();
  for (const [type, fields] of Object.entries(personal)) {
    if (fields !== undefined) plans.set(type, personalPlan(type, events[type], fields, problems));
  }
  return plans;
}

function personalPlan(
  type: string,
  schema: $ZodType | undefined,
  { subject, fields }: PersonalFields<Record<string, unknown>>,
  problems: string[],
): PersonalPlan {
  const shape = shapeOf(schema);
  const replacements = new Map<string, unknown>();
  for (const [field, replacement] of Object.entries(fields)) {
    const of = shape[field];
    const stored = of === undefined ? undefined : safeEncode(of, replacement as never); // zod types it by the schema
    if (stored === undefined) problems.push(`Of the event ${type}: it has no field ${field} that could be personal.`);
    else if (!stored.success)
      problems.push(`Of the event ${type}: what stands for a forgotten ${field} does not fit it.`);
    else replacements.set(field, stored.data);
  }
  if (typeof subject === 'string' && (shape[subject] === undefined || replacements.has(subject))) {
    problems.push(`Of the event ${type}: ${subject} cannot name the subject; take a field that is not personal.`);
  }
  return {
    replacements,
    subjectOf: (data) => {
      const name =
        typeof subject === 'string'
          ? (data as Record<string, unknown>)[subject]
          : subject(data as Record<string, unknown>);
      if (typeof name === 'string' && name !== '' && name.isWellFormed() && Buffer.byteLength(name) <= 256) return name;
      throw new NorimakiError(
        'argument.invalid',
        `The subject of the personal fields of ${type} is a string of well-formed Unicode, not empty, of at most 256 bytes.`,
        { argument: 'subject' },
      );
    },
  };
}

function shapeOf(schema: $ZodType | undefined): Readonly<Record<string, $ZodType>> {
  const def = (schema as $ZodObject | undefined)?._zod.def;
  return def?.type === 'object' ? def.shape : {};
}
