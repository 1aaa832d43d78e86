import type { EntityDefinition, Shape, ShapeOf } from '../../core/model/types.ts';
import type { StockFields, StockRecord } from './stock-record.ts';

/** The types of an entity that can be stock. */
export interface StockShape extends Shape {
  readonly entity: StockFields;
  readonly id: string;
}

/** What `defineEntity` made with `stockFields`. */
// A class has a name, too: without the second part any would do.
export type StockDefinition = EntityDefinition<StockShape> & { readonly prototype?: never };

/** A class that extends `StockRecord`, or what `defineEntity` made with `stockFields`. */
export type StockSource = (new () => StockRecord) | StockDefinition;

/** Your stock, as it is stored. */
export type StockOf<Source extends StockSource> = ShapeOf<Source>['entity'];

/** What {@link Inventory.create} takes: the SKU, and the fields of your own. */
export type StockInput<Source extends StockSource> = Omit<ShapeOf<Source>['input'], keyof StockFields> &
  Pick<StockFields, 'sku'> &
  Partial<Pick<StockFields, 'backorder' | 'safetyStock'>> & {
    /** What there is from the start: a number at the default location, or one for each; default none. */
    readonly onHand?: number | Readonly<Record<string, number>> | undefined;
  };
