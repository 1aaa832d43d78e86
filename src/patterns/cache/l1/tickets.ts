/** Says that a value was asked for; void once the key was dropped since. */
export interface Ticket {
  isVoid: boolean;
}

/**
 * Keeps what was read before an invalidation from being remembered after it: whoever asks the store takes a ticket first, and an
 * invalidation voids the tickets that are out.
 */
export class Tickets {
  readonly #open = new Map<string, Set<Ticket>>();

  /** To be given back with {@link Tickets.close}. */
  open(key: string): Ticket {
    const ticket: Ticket = { isVoid: false };
    const others = this.#open.get(key);
    if (others === undefined) this.#open.set(key, new Set([ticket]));
    else others.add(ticket);
    return ticket;
  }

  close(key: string, ticket: Ticket): void {
    const tickets = this.#open.get(key);
    if (tickets?.delete(ticket) && tickets.size === 0) this.#open.delete(key);
  }

  void(key: string): void {
    for (const ticket of this.#open.get(key) ?? []) ticket.isVoid = true;
  }

  voidAll(): void {
    for (const key of this.#open.keys()) this.void(key);
  }
}
