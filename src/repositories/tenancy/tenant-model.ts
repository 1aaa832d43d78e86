import { NorimakiError } from '../../core/errors.ts';
import { type EntityModel, TENANT_FIELD } from '../../core/model/model.ts';
import type { Place } from './place.ts';

/** The model of an entity that belongs to a tenant, as the handle of one works with it. */
interface OwnedModel extends EntityModel {
  readonly tenant: string;
}

/** The model as a handle works with it: entities of a tenant are made with its name in them. Errors: `tenant.required`. */
export function modelIn({ tenant }: Place, model: EntityModel): EntityModel {
  if (!model.tenantScoped) return model;
  if (tenant === undefined) {
    throw new NorimakiError(
      'tenant.required',
      `${model.name} belongs to a tenant, and this handle has none: take db.forTenant(name).repo(…).`,
      { entity: model.name },
    );
  }
  const owned: OwnedModel = {
    ...model,
    tenant,
    instantiate: () => Object.assign(model.instantiate(), { [TENANT_FIELD]: tenant }),
  };
  return owned;
}

/** Refuses what was read in another tenant. Errors: `tenant.mismatch`. */
export function checkTenant(model: EntityModel, entity: object): void {
  if (!isOwned(model)) return;
  const { name, tenant: expected } = model;
  // An entity is read by field name.
  const found: unknown = (entity as Record<string, unknown>)[TENANT_FIELD];
  if (found === undefined || found === expected) return;
  throw new NorimakiError(
    'tenant.mismatch',
    `This ${name} is of another tenant than the repository. To copy it, write a new one without the field ${TENANT_FIELD}.`,
    { entity: name, expected, found: String(found) },
  );
}

function isOwned(model: EntityModel): model is OwnedModel {
  return 'tenant' in model;
}
