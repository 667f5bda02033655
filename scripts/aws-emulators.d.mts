export interface Emulator {
  readonly url: string
  readonly pid: number
  readonly stop: () => Promise<void>
}
export type EmulatorName = "ministack" | "moto"
export const install: (name?: EmulatorName) => string
export const start: (options?: {
  readonly auth?: boolean
  readonly name?: EmulatorName
  readonly env?: Readonly<Record<string, string>>
}) => Promise<Emulator>
