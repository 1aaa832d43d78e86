import { codecBench } from './codec.ts';
import { embeddedBench } from './embedded.ts';
import { formatRows } from './row.ts';

// Every row is measured beside its rival in this one run; figures of different runs are not comparable.
for (const bench of [codecBench, embeddedBench]) console.log(formatRows(await bench()));
