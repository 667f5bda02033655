export interface Emulator {
  readonly url: string
  readonly pid: number
  readonly stop: () => Promise<void>
}
export const install: () => string
export const start: (options?: {
  readonly auth?: boolean
  readonly env?: Readonly<Record<string, string>>
}) => Promise<Emulator>
