/**
 * The plug-in, before anything is called.
 */
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { assert, describe, it } from "vitest"

describe("the plug-in", () => {
  it("loads nothing of the vendor until it is called", () => {
    const program = `
      const { default: gcp } = await import(${JSON.stringify(join(import.meta.dirname, "../dist/index.js"))})
      const { createRequire } = await import("node:module")
      const loaded = Object.keys(createRequire(import.meta.url).cache)
      console.log(JSON.stringify({ kinds: Object.keys(gcp().providers), loaded }))`
    const said = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" })
    const { kinds, loaded } = JSON.parse(said) as { readonly kinds: Array<string>; readonly loaded: Array<string> }
    assert.deepStrictEqual(kinds, ["gcp:cloud-run", "gcp:firebase-hosting"])
    assert.deepStrictEqual(
      loaded.filter((file) => /google|grpc|protobuf/.test(file.replace(/^.*node_modules/, ""))),
      []
    )
  })
})
