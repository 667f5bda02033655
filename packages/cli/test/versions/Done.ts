/** The work of one process, or of one user of a command. */
export interface Done {
  readonly completed: ReadonlyArray<string>
  readonly ended: Readonly<Record<string, number>>
  readonly read: number
  readonly unknown: number
  readonly attempts: number
  readonly refused: number
  readonly written: number
  readonly watched: number
  readonly failures: Readonly<Record<string, number>>
}
