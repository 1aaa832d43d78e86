// A field is renamed while old records, and an old program, are still about.
import { Entity, Field, Id, NorimakiError, open, systemClock, systemRandom } from 'norimaki';
import { memory } from 'norimaki/stores/memory';
import { z } from 'zod';

// As deployed first.
@Entity('song')
class SongV1 {
  @Id() id!: Id<string>;
  @Field(z.string()) label!: string;
}

// As deployed next: label is called title, and there is a length.
@Entity('song', {
  schema: 2,
  upcast: { 1: ({ label, ...rest }) => ({ ...rest, title: label, seconds: null }) },
})
class Song {
  @Id() id!: Id<string>;
  @Field(z.string()) title!: string;
  @Field(z.int().nullable()) seconds!: number | null;
}

// Two programs over one store. A store that is handed in open belongs to the caller, who closes it.
const environment = { clock: systemClock, random: systemRandom };
const store = await memory().openStore(environment);
const oldSongs = (await open(store)).repo(SongV1);
const songs = (await open(store)).repo(Song);

await oldSongs.create({ id: '1', label: 'Sakura' });
const read = await songs.getOrThrow('1');
console.log(`read with the new shape: ${read.title}, ${read.seconds}`);

// The next write stores the new shape.
await songs.mutate('1', (song) => {
  song.seconds = 185;
});

// The old program does not understand the record any more, and says so instead of damaging it.
try {
  await oldSongs.mutate('1', (song) => {
    song.label = 'Sakura, Sakura';
  });
} catch (error) {
  if (!NorimakiError.match(error, 'record.')) throw error;
  console.log(`the old program is refused with ${error.code}`);
}
console.log(`still there: ${JSON.stringify(await songs.getOrThrow('1'))}`);
await store.close();
