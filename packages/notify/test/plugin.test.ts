/**
 * The plug-in, before a channel is opened.
 */
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { assert, describe, it } from "vitest"

describe("the plug-in", () => {
  it("loads no channel until one is opened", () => {
    const program = `
      import { registerHooks } from "node:module"
      const loaded = []
      registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context) } })
      const { default: notify } = await import(${JSON.stringify(join(import.meta.dirname, "../dist/index.js"))})
      console.log(JSON.stringify({ kinds: Object.keys(notify().notifiers), loaded }))`
    const said = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" })
    const { kinds, loaded } = JSON.parse(said) as { readonly kinds: Array<string>; readonly loaded: Array<string> }
    assert.deepStrictEqual(kinds.toSorted(), ["email", "github", "pagerduty", "slack", "webhook"])
    assert.isAbove(loaded.length, 5)
    assert.deepStrictEqual(
      loaded.filter((url) => /notify\/dist\/.*Channel\.js|nodemailer/.test(url)),
      []
    )
  })
})
