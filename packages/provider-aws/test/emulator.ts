/**
 * The emulator that the tests of one run share. As a setup of vitest, this module starts it.
 */
import { install, start } from "../../../scripts/aws-emulators.mjs"

const variable = "SIGNALBOX_TEST_AWS"

export const setup = async (): Promise<(() => Promise<void>) | undefined> => {
  try {
    install()
  } catch (error) {
    if (process.env["CI"]) throw error
    console.warn(`The emulator of AWS cannot be had here, so the tests that need it are skipped: ${String(error)}`)
    return undefined
  }
  const { stop, url } = await start()
  process.env[variable] = url
  return stop
}

/** Where the emulator listens; undefined if it cannot be had on this machine. */
export const endpoint: string | undefined = process.env[variable]

let accounts = 0

/** An account of its own, which sees nothing of the others: its number is the access key. */
export const freshAccount = (): string => {
  accounts += 1
  return String(100_000_000_000 + (process.pid % 1_000_000) * 10_000 + accounts)
}
