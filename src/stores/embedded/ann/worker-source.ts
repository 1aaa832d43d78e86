// Made of the files in worker/: change those, then run `npx vitest run src/stores/embedded/ann/worker-source.test.ts -u`.

/** The program of the worker thread, as CommonJS in one piece. */
export const WORKER_SOURCE = `
// src/stores/embedded/ann/worker/entry.ts
var import_node_worker_threads = require("node:worker_threads");

// src/stores/embedded/ann/failure.ts
var Failure = class extends Error {
  kind;
  code;
  constructor(kind, message, code) {
    super(message);
    this.kind = kind;
    this.code = code;
  }
};

// src/stores/embedded/ann/worker/kernels.ts
var dots = (query, rows, count, out) => {
  const dimensions = query.length;
  const inFours = count - count % 4;
  for (let row = 0; row < inFours; row += 4) {
    const first = row * dimensions;
    const second = first + dimensions;
    const third = second + dimensions;
    const fourth = third + dimensions;
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let i = 0; i < dimensions; i++) {
      const x = query[i];
      a += x * rows[first + i];
      b += x * rows[second + i];
      c += x * rows[third + i];
      d += x * rows[fourth + i];
    }
    out[row] = a;
    out[row + 1] = b;
    out[row + 2] = c;
    out[row + 3] = d;
  }
  for (let row = inFours; row < count; row++) {
    const start = row * dimensions;
    let sum = 0;
    for (let i = 0; i < dimensions; i++) sum += query[i] * rows[start + i];
    out[row] = sum;
  }
};
var squaredDistances = (query, rows, count, out) => {
  const dimensions = query.length;
  const inFours = count - count % 4;
  for (let row = 0; row < inFours; row += 4) {
    const first = row * dimensions;
    const second = first + dimensions;
    const third = second + dimensions;
    const fourth = third + dimensions;
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let i = 0; i < dimensions; i++) {
      const x = query[i];
      const [p, q] = [x - rows[first + i], x - rows[second + i]];
      const [r, s] = [x - rows[third + i], x - rows[fourth + i]];
      a += p * p;
      b += q * q;
      c += r * r;
      d += s * s;
    }
    out[row] = a;
    out[row + 1] = b;
    out[row + 2] = c;
    out[row + 3] = d;
  }
  for (let row = inFours; row < count; row++) {
    const start = row * dimensions;
    let sum = 0;
    for (let i = 0; i < dimensions; i++) {
      const difference = query[i] - rows[start + i];
      sum += difference * difference;
    }
    out[row] = sum;
  }
};
var ZERO = 1e-24;
function squaredNorm(vectors, start, dimensions) {
  let sum = 0;
  for (let i = start; i < start + dimensions; i++) {
    const x = vectors[i];
    sum += x * x;
  }
  return sum;
}

// src/stores/embedded/ann/worker/nearest.ts
var Nearest = class {
  #k;
  // A heap with the farthest on top, in two arrays side by side.
  #labels = [];
  #distances = [];
  constructor(k) {
    this.#k = k;
  }
  offer(label, distance) {
    const labels = this.#labels;
    const distances = this.#distances;
    if (labels.length < this.#k) {
      let i = labels.length;
      while (i > 0) {
        const parent = i - 1 >> 1;
        if (!this.#isFarther(distance, label, parent)) break;
        this.#move(parent, i);
        i = parent;
      }
      labels[i] = label;
      distances[i] = distance;
    } else if (this.#k > 0 && !this.#isFarther(distance, label, 0)) {
      this.#sink(label, distance, labels.length);
    }
  }
  /** What was kept, nearest first. It can be called once: it takes the heap apart. */
  take() {
    const count = this.#labels.length;
    const labels = new Float64Array(count);
    const distances = new Float64Array(count);
    for (let i = count - 1; i >= 0; i--) {
      labels[i] = this.#labels[0];
      distances[i] = this.#distances[0];
      this.#sink(this.#labels[i], this.#distances[i], i);
    }
    return { labels, distances };
  }
  /** Puts an entry in place of the one on top, in a heap of \`size\` entries. */
  #sink(label, distance, size) {
    if (size === 0) return;
    let i = 0;
    for (let child = 1; child < size; child = 2 * i + 1) {
      const right = child + 1;
      if (right < size && this.#isFarther(this.#distances[right], this.#labels[right], child)) {
        child = right;
      }
      if (this.#isFarther(distance, label, child)) break;
      this.#move(child, i);
      i = child;
    }
    this.#labels[i] = label;
    this.#distances[i] = distance;
  }
  #move(from, to) {
    this.#labels[to] = this.#labels[from];
    this.#distances[to] = this.#distances[from];
  }
  #isFarther(distance, label, than) {
    const other = this.#distances[than];
    return distance > other || distance === other && label > this.#labels[than];
  }
};

// src/stores/embedded/ann/worker/flat.ts
var BLOCK = 2 ** 18;
var SCAN = 2 ** 24;
var Flat = class {
  #dimensions;
  #metric;
  #rows;
  #blocks = [];
  #rowOf = /* @__PURE__ */ new Map();
  #taken = 0;
  constructor(dimensions, metric, block = BLOCK) {
    this.#dimensions = dimensions;
    this.#metric = metric;
    this.#rows = Math.max(1, Math.floor(block / dimensions));
  }
  get size() {
    return this.#rowOf.size;
  }
  /** Vectors in a full block. */
  get rowsOfBlock() {
    return this.#rows;
  }
  /** Vectors that {@link Flat.take} has not given yet. */
  get untaken() {
    return this.size - this.#taken;
  }
  add(labels, vectors) {
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i];
      if (this.#rowOf.has(label)) throw new Error("A label was added twice.");
      const row = this.size;
      if (row === this.#blocks.length * this.#rows) this.#blocks.push(this.#newBlock());
      const { block, at } = this.#locate(row);
      block.labels[at] = label;
      block.vectors.set(vectors.subarray(i * this.#dimensions, (i + 1) * this.#dimensions), at * this.#dimensions);
      if (this.#metric === "cosine") block.norms[at] = squaredNorm(vectors, i * this.#dimensions, this.#dimensions);
      this.#rowOf.set(label, row);
    }
  }
  remove(labels) {
    for (const label of labels) {
      let row = this.#rowOf.get(label);
      if (row === void 0) continue;
      if (row < this.#taken) {
        this.#taken--;
        this.#move(this.#taken, row);
        row = this.#taken;
      }
      this.#move(this.size - 1, row);
      this.#rowOf.delete(label);
      if (this.size <= (this.#blocks.length - 1) * this.#rows) this.#blocks.pop();
    }
  }
  async search(query, k, turns) {
    const nearest = new Nearest(k);
    const out = new Float64Array(this.#rows);
    const norm = squaredNorm(query, 0, query.length);
    let seen = 0;
    for (let from = 0; from < this.size; from += this.#rows) {
      if (seen >= SCAN) {
        await turns.next();
        seen = 0;
      }
      const block = this.#blocks[from / this.#rows];
      const count = Math.min(this.#rows, this.size - from);
      this.#measure(query, norm, block, count, out);
      for (let i = 0; i < count; i++) nearest.offer(block.labels[i], out[i]);
      seen += count * this.#dimensions;
    }
    return nearest.take();
  }
  /** The next rows that were not taken yet, at most so many; fewer at the end of a block. Views of what is held. */
  take(count) {
    const { block, at } = this.#locate(this.#taken);
    const end = Math.min(at + Math.min(count, this.untaken), this.#rows);
    this.#taken += end - at;
    return {
      labels: block.labels.subarray(at, end),
      vectors: block.vectors.subarray(at * this.#dimensions, end * this.#dimensions)
    };
  }
  /** All that it holds, block by block, as views. */
  *blocks() {
    for (const [i, block] of this.#blocks.entries()) {
      const count = Math.min(this.#rows, this.size - i * this.#rows);
      yield { labels: block.labels.subarray(0, count), vectors: block.vectors.subarray(0, count * this.#dimensions) };
    }
  }
  #measure(query, norm, { vectors, norms }, count, out) {
    if (this.#metric === "euclidean") {
      squaredDistances(query, vectors, count, out);
      for (let i = 0; i < count; i++) out[i] = Math.sqrt(out[i]);
      return;
    }
    dots(query, vectors, count, out);
    for (let i = 0; i < count; i++) {
      const [dot, other] = [out[i], norms[i]];
      if (this.#metric === "innerProduct") out[i] = -dot;
      else if (norm < ZERO || other < ZERO) out[i] = 1;
      else out[i] = Math.min(2, Math.max(0, 1 - dot / Math.sqrt(norm * other)));
    }
  }
  #move(from, to) {
    if (from === to) return;
    const [source, target] = [this.#locate(from), this.#locate(to)];
    const label = source.block.labels[source.at];
    const start = source.at * this.#dimensions;
    target.block.labels[target.at] = label;
    target.block.norms[target.at] = source.block.norms[source.at];
    target.block.vectors.set(
      source.block.vectors.subarray(start, start + this.#dimensions),
      target.at * this.#dimensions
    );
    this.#rowOf.set(label, to);
  }
  #locate(row) {
    return { block: this.#blocks[Math.floor(row / this.#rows)], at: row % this.#rows };
  }
  #newBlock() {
    return {
      labels: new Float64Array(this.#rows),
      vectors: new Float32Array(this.#rows * this.#dimensions),
      norms: new Float64Array(this.#rows)
    };
  }
};

// src/stores/embedded/ann/worker/graph.ts
var import_node_os = require("node:os");

// src/stores/embedded/ann/native-gate.ts
var FREE = 0;
var INSIDE = 1;
var SHUT = 2;
var ENDING = 1;
function throughGate(gate, call) {
  if (Atomics.load(gate, ENDING) !== 0) throw new Failure("closed", "The thread is ending.");
  if (Atomics.compareExchange(gate, 0, FREE, INSIDE) !== FREE) Atomics.wait(gate, 0, SHUT);
  try {
    return call();
  } finally {
    Atomics.store(gate, 0, FREE);
    Atomics.notify(gate, 0);
  }
}

// src/stores/embedded/ann/worker/beam.ts
var REFERENCE = 2048;
var WIDTHS = [16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536];
var SAMPLE = 32;
var NEAREST = 10;
var WIDTH_OF_ONE_MORE = 3;
var MISSES = 5e-3;
var GROWTH = 1.5;
var Beam = class {
  #queries = [];
  #next = 0;
  #width = REFERENCE;
  #measuredAt = 0;
  #measuring = false;
  /** How wide to look for so many. The width is measured for the ten nearest; more of them take more. */
  widthFor(k) {
    return this.#width + WIDTH_OF_ONE_MORE * Math.max(0, k - NEAREST);
  }
  /** Remembers the latest queries: what comes next is likely to be of their kind. */
  observe(query) {
    this.#queries[this.#next] = query;
    this.#next = (this.#next + 1) % SAMPLE;
  }
  isDue(size) {
    return !this.#measuring && this.#queries.length === SAMPLE && size > this.#measuredAt * GROWTH;
  }
  async measure(size, look, turns) {
    this.#measuring = true;
    this.#measuredAt = size;
    try {
      const misses = WIDTHS.map(() => 0);
      for (const query of [...this.#queries]) {
        await turns.next();
        const nearest = look(query, REFERENCE, NEAREST);
        for (const [i, width] of WIDTHS.entries()) {
          const found = look(query, width, NEAREST);
          const missed = nearest.filter((label) => !found.includes(label)).length;
          if (missed === 0) break;
          misses[i] = misses[i] + missed;
        }
      }
      const narrowest = misses.findIndex((missed) => missed <= SAMPLE * NEAREST * MISSES);
      this.#width = WIDTHS[narrowest] ?? REFERENCE;
    } finally {
      this.#measuring = false;
    }
  }
};

// src/stores/embedded/ann/worker/graph.ts
var THREADS = Math.max(1, Math.min(8, (0, import_node_os.availableParallelism)() - 1));
var CONNECTIVITY = 16;
var EXPANSION_ADD = 64;
function graphSlice(dimensions) {
  return THREADS * Math.min(128, Math.max(4, Math.floor(16384 / (dimensions + 128))));
}
var Graph = class {
  #dimensions;
  #metric;
  #index;
  #gate;
  #beam = new Beam();
  #dead = 0;
  constructor({ usearch, gate }, dimensions, metric) {
    this.#dimensions = dimensions;
    this.#metric = metric;
    this.#gate = gate;
    const options = {
      dimensions,
      // Directions are made one long before they get here, which makes their dot product the cosine.
      metric: metric === "euclidean" ? "l2sq" : "ip",
      // Of numbers up to one, half the bits are enough to tell who is near, and half the memory to read is a third less
      // time. Who is nearest is measured again from what LMDB has.
      quantization: metric === "cosine" ? "f16" : "f32",
      connectivity: CONNECTIVITY,
      expansion_add: EXPANSION_ADD,
      // usearch searches as wide as this or as what it is asked for, whichever is more: so the latter decides.
      expansion_search: 1
    };
    this.#index = throughGate(gate, () => new usearch.Index(options));
  }
  get size() {
    return this.#call((index) => index.size());
  }
  get dimensions() {
    return this.#call((index) => index.dimensions());
  }
  /** Vectors that were removed; each gives its place to one that is added. */
  get dead() {
    return this.#dead;
  }
  add(labels, vectors) {
    const [keys, rows] = [keysOf(labels), this.#prepared(vectors)];
    this.#call((index) => index.add(keys, rows, THREADS));
    this.#dead = Math.max(0, this.#dead - labels.length);
  }
  remove(labels) {
    if (labels.length === 0) return;
    const keys = keysOf(labels);
    for (const removed of [this.#call((index) => index.remove(keys))].flat()) this.#dead += removed;
  }
  search(query, k, spare) {
    const prepared = this.#prepared(query);
    const labels = this.#look(prepared, Math.max(k + spare, this.#beam.widthFor(k)), k + spare);
    this.#beam.observe(prepared);
    return labels;
  }
  /** Finds out how wide to search, if there is reason to. */
  async tune(turns) {
    if (!this.#beam.isDue(this.size)) return;
    await this.#beam.measure(this.size, (query, width, k) => this.#look(query, width, k), turns);
  }
  save(path) {
    this.#call((index) => index.save(path));
  }
  /** Only of a file that is known to be whole: usearch ends the process on any other. */
  load(path, dead) {
    this.#call((index) => index.load(path));
    this.#dead = dead;
  }
  #call(call) {
    return throughGate(this.#gate, () => call(this.#index));
  }
  /** The labels of the \`k\` nearest that a search of a width finds. */
  #look(prepared, width, k) {
    const count = Math.min(width, this.size);
    if (count === 0) return new Float64Array();
    const { keys } = this.#call((index) => index.search(prepared, count, 1));
    return Float64Array.from(keys.subarray(0, k), Number);
  }
  /** A copy as usearch shall see it: for \`cosine\` of length one, or zero where there is no direction. */
  #prepared(vectors) {
    const copy = vectors.slice();
    if (this.#metric !== "cosine") return copy;
    for (let start = 0; start < copy.length; start += this.#dimensions) {
      const norm = squaredNorm(copy, start, this.#dimensions);
      const scale = norm < ZERO ? 0 : 1 / Math.sqrt(norm);
      for (let i = start; i < start + this.#dimensions; i++) copy[i] = copy[i] * scale;
    }
    return copy;
  }
};
function keysOf(labels) {
  return BigUint64Array.from(labels, BigInt);
}

// src/stores/embedded/ann/worker/snapshot.ts
var import_node_crypto = require("node:crypto");
var import_node_fs = require("node:fs");
var import_promises2 = require("node:fs/promises");

// src/stores/embedded/ann/worker/graph-file.ts
var import_promises = require("node:fs/promises");
var MATRIX_HEAD = 8;
var DESCRIPTION = 64;
var GRAPH_HEAD = 40;
var LEVEL = 2;
var NODE_HEAD = 10;
var COUNT = 4;
var SLOT = 4;
var PART = 2 ** 20;
async function isWholeGraph(path) {
  const file = await (0, import_promises.open)(path, "r");
  try {
    const { size } = await file.stat();
    const matrix = await read(file, 0, MATRIX_HEAD);
    if (matrix === void 0) return false;
    const rows = matrix.readUInt32LE(0);
    const graphAt = MATRIX_HEAD + rows * matrix.readUInt32LE(4) + DESCRIPTION;
    const head = await read(file, graphAt, GRAPH_HEAD);
    if (head === void 0 || head.readBigUInt64LE(0) !== BigInt(rows)) return false;
    const level = COUNT + Number(head.readBigUInt64LE(8)) * SLOT;
    const base = NODE_HEAD + COUNT + Number(head.readBigUInt64LE(16)) * SLOT;
    const levelsAt = graphAt + GRAPH_HEAD;
    let expected = levelsAt + rows * (LEVEL + base);
    for (let at = 0; at < rows * LEVEL; at += PART) {
      const levels = await read(file, levelsAt + at, Math.min(PART, rows * LEVEL - at));
      if (levels === void 0) return false;
      for (let i = 0; i < levels.length; i += LEVEL) expected += levels.readInt16LE(i) * level;
    }
    return size === expected;
  } finally {
    await file.close();
  }
}
async function read(file, position, length) {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return bytesRead === length ? buffer : void 0;
}

// src/stores/embedded/ann/worker/snapshot.ts
var LAYOUT = 2;
async function writeFlat(path, flat) {
  const file = await (0, import_promises2.open)(path, "w");
  try {
    for (const { labels, vectors } of flat.blocks()) {
      await file.writeFile(bytesOf(labels));
      await file.writeFile(bytesOf(vectors));
    }
  } finally {
    await file.close();
  }
}
async function readFlat(path, expected, flat) {
  const { dimensions, size, bytes } = expected;
  if (bytes !== size * (Float64Array.BYTES_PER_ELEMENT + dimensions * Float32Array.BYTES_PER_ELEMENT)) return void 0;
  const file = await (0, import_promises2.open)(path, "r").catch(() => void 0);
  if (file === void 0) return void 0;
  try {
    if ((await file.stat()).size !== bytes) return void 0;
    const hash = (0, import_node_crypto.createHash)("sha256");
    for (let left = size; left > 0; ) {
      const rows = Math.min(flat.rowsOfBlock, left);
      const [labels, vectors] = [new Float64Array(rows), new Float32Array(rows * dimensions)];
      for (const part of [bytesOf(labels), bytesOf(vectors)]) {
        if (!await fill(file, part)) return void 0;
        hash.update(part);
      }
      flat.add(labels, vectors);
      left -= rows;
    }
    return hash.digest("hex") === expected.checksum ? flat : void 0;
  } catch {
    return void 0;
  } finally {
    await file.close();
  }
}
async function writeGraph(path, graph) {
  try {
    graph.save(path);
  } catch (error) {
    const { bavail } = await (0, import_promises2.statfs)(path);
    throw new Failure("failed", error.message, bavail === 0 ? "ENOSPC" : void 0);
  }
}
async function readGraph(path, expected, graph) {
  const found = await fingerprint(path).catch(() => void 0);
  if (found?.bytes !== expected.bytes || found.checksum !== expected.checksum) return void 0;
  if (!await isWholeGraph(path)) return void 0;
  graph.load(path, expected.dead);
  return graph.size === expected.size && graph.dimensions === expected.dimensions ? graph : void 0;
}
async function checkWritten(path, kind) {
  if (kind === "hnsw" && !await isWholeGraph(path)) {
    throw new Failure("failed", "The graph was not written to its end.", "ENOSPC");
  }
  return fingerprint(path);
}
async function fingerprint(path) {
  const hash = (0, import_node_crypto.createHash)("sha256");
  for await (const part of (0, import_node_fs.createReadStream)(path, { highWaterMark: 2 ** 20 })) hash.update(part);
  return { checksum: hash.digest("hex"), bytes: (await (0, import_promises2.stat)(path)).size };
}
async function fill(file, target) {
  for (let read2 = 0; read2 < target.length; ) {
    const { bytesRead } = await file.read(target, read2, target.length - read2);
    if (bytesRead === 0) return false;
    read2 += bytesRead;
  }
  return true;
}
function bytesOf(array) {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

// src/stores/embedded/ann/worker/space.ts
var SCANNABLE = 2 ** 21;
var EACH = 8;
var PUT = 2 ** 19;
var EACH_PUT = 128;
var REMOVALS = 4096;
var Space = class {
  #options;
  #loadUsearch;
  #turns;
  #scannable;
  #slice;
  /** Gone when the graph holds everything. */
  #flat;
  #graph;
  #last = Promise.resolve();
  /** Why no further call can be answered. */
  #end;
  constructor(options, loadUsearch, turns, scannable = SCANNABLE, slice = graphSlice(options.dimensions)) {
    this.#options = options;
    this.#loadUsearch = loadUsearch;
    this.#turns = turns;
    this.#scannable = Math.floor(scannable / (options.dimensions + EACH));
    this.#slice = slice;
    this.#flat = this.#newFlat();
  }
  add(labels, vectors) {
    return this.#inTurn(async () => {
      if (this.#graph === void 0 && this.#isTooMany(this.#stats().size + labels.length)) this.#startGraph();
      await this.#changing(() => this.#add(labels, vectors));
    });
  }
  remove(labels) {
    return this.#inTurn(
      () => this.#changing(async () => {
        this.#flat?.remove(labels);
        for (let from = 0; from < labels.length; from += REMOVALS) {
          if (from > 0) await this.#nextTurn();
          this.#graph?.remove(labels.subarray(from, from + REMOVALS));
        }
      })
    );
  }
  search(query, k, spare, isWanted) {
    return this.#inTurn(async () => {
      if (!isWanted()) throw new Failure("failed", "The search was cancelled.");
      if (this.#flat !== void 0) return (await this.#flat.search(query, k + spare, this.#turns)).labels;
      const graph = this.#graph;
      const found = graph.search(query, k, spare);
      this.#inBackground(() => graph.tune(this.#turns));
      return found;
    });
  }
  stats() {
    return this.#inTurn(async () => this.#stats());
  }
  async save(path) {
    const { size, dead, kind } = await this.#inTurn(async () => {
      const now = this.#stats();
      if (this.#flat !== void 0) await writeFlat(path, this.#flat);
      else if (this.#graph !== void 0) await writeGraph(path, this.#graph);
      return now;
    });
    const { dimensions, metric } = this.#options;
    return { size, dead, kind, ...await checkWritten(path, kind), dimensions, metric, layout: LAYOUT };
  }
  load(path, expected) {
    return this.#inTurn(async () => {
      const { dimensions, metric, type } = this.#options;
      if (expected.layout !== LAYOUT || expected.dimensions !== dimensions || expected.metric !== metric) return false;
      if (expected.kind === "exact") {
        if (this.#isTooMany(expected.size)) this.#loadUsearch();
        const flat = await readFlat(path, expected, this.#newFlat());
        if (flat === void 0) return false;
        [this.#flat, this.#graph] = [flat, void 0];
        if (this.#isTooMany(flat.size)) this.#startGraph();
        return true;
      }
      if (type === "exact") return false;
      const graph = await readGraph(path, expected, new Graph(this.#loadUsearch(), dimensions, metric));
      if (graph === void 0) return false;
      [this.#flat, this.#graph] = [void 0, graph];
      return true;
    });
  }
  /** Lets go of everything; what waits fails. */
  close() {
    this.#end ??= new Failure("closed", "The space is closed.");
    this.#flat = void 0;
    this.#graph = void 0;
  }
  #inTurn(work) {
    const result = this.#last.then(async () => {
      await this.#nextTurn();
      return work();
    });
    this.#last = result.catch(() => {
    });
    return result;
  }
  /** After a change that failed half way nobody knows what the space holds: it answers nothing any more. */
  async #changing(work) {
    try {
      await work();
    } catch (error) {
      this.#end ??= error;
      throw error;
    }
  }
  async #add(labels, vectors) {
    const { dimensions } = this.#options;
    for (let from = 0; from < labels.length; ) {
      if (from > 0) await this.#nextTurn();
      const count = this.#flat === void 0 ? this.#slice : Math.floor(PUT / (dimensions + EACH_PUT));
      const to = Math.min(from + count, labels.length);
      const [some, rows] = [labels.subarray(from, to), vectors.subarray(from * dimensions, to * dimensions)];
      if (this.#flat === void 0) this.#graph?.add(some, rows);
      else this.#flat.add(some, rows);
      from = to;
    }
  }
  /** Moves the next slice into the graph; what is scanned goes when all have moved. */
  #move(flat, graph) {
    if (flat.untaken === 0) {
      this.#flat = void 0;
      return;
    }
    const { labels, vectors } = flat.take(this.#slice);
    graph.add(labels, vectors);
  }
  #startGraph() {
    const graph = new Graph(this.#loadUsearch(), this.#options.dimensions, this.#options.metric);
    this.#graph = graph;
    this.#inBackground(
      () => this.#changing(async () => {
        while (this.#flat !== void 0 && this.#graph === graph) {
          await this.#nextTurn();
          if (this.#flat !== void 0 && this.#graph === graph) this.#move(this.#flat, graph);
        }
      })
    );
  }
  /** What fails there shows at the next call. */
  #inBackground(work) {
    work().catch((error) => {
      this.#end ??= error;
    });
  }
  async #nextTurn() {
    await this.#turns.next();
    this.#throwIfEnded();
  }
  #throwIfEnded() {
    if (this.#end !== void 0) throw this.#end;
  }
  /** To be scanned. */
  #isTooMany(size) {
    return this.#options.type === "hnsw" && size > this.#scannable;
  }
  #stats() {
    if (this.#flat !== void 0) {
      const stats = { size: this.#flat.size, dead: 0, kind: "exact" };
      return this.#graph === void 0 ? stats : { ...stats, isMoving: true };
    }
    return { size: this.#graph?.size ?? 0, dead: this.#graph?.dead ?? 0, kind: "hnsw" };
  }
  #newFlat() {
    return new Flat(this.#options.dimensions, this.#options.metric);
  }
};

// src/stores/embedded/ann/worker/turns.ts
var Turns = class {
  #waiting = [];
  /** Whether somebody was served in this turn of the event loop. */
  #isTaken = false;
  next() {
    if (this.#isTaken) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#isTaken = true;
    setImmediate(this.#serve);
    return Promise.resolve();
  }
  #serve = () => {
    const next = this.#waiting.shift();
    this.#isTaken = next !== void 0;
    if (next === void 0) return;
    next();
    setImmediate(this.#serve);
  };
};

// src/stores/embedded/ann/worker/usearch.ts
var import_node_module = require("node:module");
function usearchLoader(path, gate) {
  let loaded;
  return () => {
    if (loaded !== void 0) return loaded;
    if (path === void 0) throw new Failure("missing", "needs the package usearch");
    let module2;
    try {
      module2 = throughGate(gate, () => (0, import_node_module.createRequire)(path)(path));
    } catch (cause) {
      if (cause instanceof Failure) throw cause;
      throw new Failure("missing", \`cannot load the package usearch on this machine (\${cause.message})\`);
    }
    if (typeof module2.Index !== "function") {
      throw new Failure("missing", "does not work with the installed version of usearch");
    }
    loaded = { usearch: module2, gate };
    return loaded;
  };
}

// src/stores/embedded/ann/worker/serve.ts
function serve(port, { usearch, gate }, exit) {
  const spaces = /* @__PURE__ */ new Map();
  const turns = new Turns();
  const loadUsearch = usearchLoader(usearch, gate);
  const awaited = /* @__PURE__ */ new Set();
  async function answer(request) {
    if (request.name === "open") {
      spaces.set(request.space, new Space(request.ask.options, loadUsearch, turns));
      return void 0;
    }
    const space = spaces.get(request.space);
    if (space === void 0) throw new Failure("closed", "The space is closed.");
    const { id, name, ask } = request;
    switch (name) {
      case "add":
        await space.add(ask.labels, ask.vectors);
        return void 0;
      case "remove":
        await space.remove(ask.labels);
        return void 0;
      case "search":
        awaited.add(id);
        return space.search(ask.query, ask.k, ask.spare, () => awaited.has(id)).finally(() => awaited.delete(id));
      case "stats":
        return space.stats();
      case "save":
        return space.save(ask.path);
      case "load":
        return space.load(ask.path, ask.expected);
      case "close":
        spaces.delete(request.space);
        space.close();
        return void 0;
    }
  }
  port.on("message", (message) => {
    if ("end" in message) return exit();
    if ("cancel" in message) {
      awaited.delete(message.cancel);
      return;
    }
    const { id } = message;
    answer(message).then(
      // What a search found goes over without a copy: its memory is its own, and not shared.
      (value) => port.postMessage(
        { id, value },
        value instanceof Float64Array ? [value.buffer] : []
      ),
      (error) => {
        const { kind = "failed", message: text, code } = error;
        port.postMessage({ id, failure: { kind, message: text, code } });
      }
    );
  });
}

// src/stores/embedded/ann/worker/entry.ts
serve(import_node_worker_threads.parentPort, import_node_worker_threads.workerData, () => process.exit());
`;
