export { pickInt, seededRandom } from '../core/seeded-random.ts';
