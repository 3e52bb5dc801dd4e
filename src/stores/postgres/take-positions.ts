import type { PostgresContainer } from './postgres-container.ts';
import type { Session } from './postgres-database.ts';

/** Takes positions in a transaction that has entered, or that has locked the whole table. */
export async function takePositions(
  { statements }: Pick<PostgresContainer, 'statements'>,
  session: Session,
  amount: number,
): Promise<readonly number[]> {
  const taken = await session.rows<{ position: number }>({ text: statements.next, values: [amount] });
  return taken.map(({ position }) => position);
}
