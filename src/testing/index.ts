export type { ContractCase, ContractInput } from './contract/contract-case.ts';
export { type ContractRunner, contractCases, storeContract } from './contract/store-contract.ts';
export { type FakeEmbedder, type FakeEmbedderOptions, fakeEmbedder } from './fake-embedder.ts';
export {
  type FaultCall,
  type FaultKind,
  type FaultOptions,
  type InjectedFault,
  SimulatedCrash,
  type VectorName,
  type VectorVerb,
} from './faults/fault.ts';
export { type FaultControls, type FaultStore, faultStore } from './faults/fault-store.ts';
export { checkLinearizable, type LinearizabilityResult } from './history/check-linearizable.ts';
export type { HistoryAction, HistoryOperation } from './history/operation.ts';
export { type History, recordHistory } from './history/record-history.ts';
export { type Ability, type LimitedStore, limitCapabilities } from './limit-capabilities.ts';
export { type ManualClock, type ManualClockOptions, manualClock } from './manual-clock.ts';
export { seededRandom } from './seeded-random.ts';
export type { SameAbilities } from './store-wrapper.ts';
