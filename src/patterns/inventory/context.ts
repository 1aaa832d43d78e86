import type { Environment } from '../../core/clock.ts';
import type { Holds } from '../shared/hold/index.ts';
import type { Cells } from './cells.ts';
import type { InventorySettings } from './settings.ts';
import type { Spread } from './spread.ts';

/** What every verb works with. */
export interface InventoryContext {
  readonly settings: InventorySettings;
  readonly cells: Cells;
  readonly spread: Spread;
  readonly carts: Holds;
  readonly environment: Environment;
}
