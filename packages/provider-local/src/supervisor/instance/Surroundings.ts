import type { KnownRelease } from "../State.ts"

/** What an instance needs of the supervisor. */
export interface Surroundings {
  /** Marks the processes of this supervisor's directory. */
  readonly owner: string
  readonly stack: string
  readonly directoryOf: (release: KnownRelease) => string
  readonly logOf: (instance: string) => string
  readonly save: () => Promise<void>
  readonly secret: (name: string) => string | undefined
  readonly learnSecret: (name: string, value: string) => void
  readonly freePort: () => Promise<number>
}
