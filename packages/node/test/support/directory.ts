import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** A folder that is gone when the tests of this file end. */
export const temporaryDirectory = (after: (remove: () => void) => void): string => {
  const directory = mkdtempSync(join(tmpdir(), "signalbox-store-"))
  after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
