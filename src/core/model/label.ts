import type { EntityDeclaration } from './model.ts';

/** How messages call the entity: as its author does. */
export function label({ className, name }: EntityDeclaration): string {
  return className ?? name;
}

/** How the list of mistakes is headed; quoted where the name would garble the text. */
export function title({ className, name }: EntityDeclaration): string {
  const shown = /^[^\p{Cc}\p{Cs}\s]{1,64}$/u.test(name) ? name : JSON.stringify(name.slice(0, 64));
  return className === undefined || className === name ? shown : `${shown} (class ${className})`;
}
