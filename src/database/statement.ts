/** What a store says to the database: named statements, and rows back. */

/** A named prepared statement: parsed once per connection. The name must be unique to its text. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

export type Row = Record<string, unknown>;

/** Runs single statements; what a store needs, inside a transaction or not. */
export interface Queryable {
  /** Rows of one statement. Throws AppError('unavailable') when the database cannot be reached or is overloaded. */
  query<R extends Row = Row>(statement: Statement, values?: unknown[]): Promise<R[]>;
}
