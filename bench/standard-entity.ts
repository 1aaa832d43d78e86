import { z } from 'zod';

/** The schema of the standard entity: eight fields with a date, an array and an object. */
export const standardSchema = z.object({
  sku: z.string().min(1),
  name: z.string().min(1).max(200),
  description: z.string(),
  price: z.number().nonnegative(),
  stock: z.number().int().nonnegative(),
  tags: z.array(z.string()),
  size: z.object({ width: z.number(), height: z.number(), unit: z.enum(['mm', 'cm']) }),
  addedAt: z.date(),
});

/** The entity that every benchmark stores, so that their figures can be compared. */
export type StandardEntity = z.infer<typeof standardSchema>;

/** The n-th standard entity; the same one each time. */
export function standardEntity(n: number): StandardEntity {
  return {
    sku: `NORI-${n}`,
    name: 'Toasted nori, half sheets',
    description: 'Crisp, dark green sheets from the first harvest, roasted twice and cut for hand rolls. Keep dry.',
    price: 4.5 + (n % 100) / 10,
    stock: n % 1000,
    tags: ['seaweed', 'roasted', 'vegan', 'gluten-free'],
    size: { width: 190, height: 105.5, unit: 'mm' },
    addedAt: new Date(Date.UTC(2026, 0, 1) + n * 60_000),
  };
}

/** The fields of the standard entity, as a codec takes them. */
export const standardFields = Object.entries(standardSchema.shape).map(([name, schema]) => ({ name, schema }));
