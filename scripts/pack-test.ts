/**
 * Packs all packages, installs the tarballs into an empty folder with npm, as a user would, and there runs the command and
 * the example of the README, checked by the compiler first. Nothing of this repository but the tarballs is used.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pack } from "./pack.ts"
import { type Manifest, manifest, root, run } from "./repository.ts"

/** An import of each entry of a package, so that the declarations of all of them are checked. */
const entries = ({ exports = {}, name }: Manifest): ReadonlyArray<string> =>
  Object.keys(exports)
    // A suite needs a test runner, which is an optional peer.
    .filter((path) => path !== "./package.json" && path !== "./testing")
    .map((path) => `import ${JSON.stringify(`${name}${path.slice(1)}`)}`)

const folder = mkdtempSync(join(tmpdir(), "signalbox-installed-"))
try {
  const packed = pack(folder)
  const { devDependencies = {} } = manifest(root)
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({
      private: true,
      type: "module",
      dependencies: {
        ...Object.fromEntries(packed.map(({ manifest, tarball }) => [manifest.name, `file:${tarball}`])),
        // No @types/node: what the declarations need, the packages bring.
        effect: devDependencies["effect"],
        typescript: devDependencies["typescript"]
      }
    })
  )
  run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: folder })

  const command = join(folder, "node_modules/.bin/signalbox")
  console.log(`signalbox --version: ${run(command, ["--version"], { cwd: folder }).trim()}`)

  cpSync(join(root, "examples/sdk-quickstart/web"), join(folder, "web"), { recursive: true })
  for (const name of ["main.ts", "effect.ts", "stop.ts"])
    cpSync(join(root, "examples/sdk-quickstart", name), join(folder, name))
  writeFileSync(join(folder, "entries.ts"), packed.flatMap(({ manifest }) => entries(manifest)).join("\n"))
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        target: "ES2024",
        module: "NodeNext",
        // The declarations of effect name types of the DOM.
        lib: ["ES2024", "DOM"],
        strict: true,
        noEmit: true,
        skipLibCheck: false
      },
      files: ["main.ts", "effect.ts", "stop.ts", "entries.ts"]
    })
  )
  run(join(folder, "node_modules/.bin/tsc"), ["-p", "."], { cwd: folder })
  try {
    const said = run("node", ["main.ts"], { cwd: folder }).trim()
    const url = said.replace(/^completed /, "")
    const answer = (await (await fetch(url)).text()).trim()
    if (answer !== "hello from 1.0.0") throw new Error(`${url} answers: ${answer}`)
    console.log(`main.ts: ${said}, which answers: ${answer}`)
  } finally {
    run("node", ["stop.ts"], { cwd: folder })
  }

  // The oldest Node that is promised, which nothing else here runs on; its package for this platform holds the program.
  const oldest = /\d+\.\d+/.exec(manifest(join(root, "packages/cli")).engines?.node ?? "")?.[0]
  const runtime = `node-${process.platform}-${process.arch}`
  const old = join(folder, "old")
  run("npm", ["install", "--prefix", old, `${runtime}@${oldest}`, "--no-audit", "--no-fund", "--loglevel=error"])
  const node = join(old, "node_modules", runtime, "bin/node")
  const on = (...args: ReadonlyArray<string>) =>
    run("sh", ["-c", `exec "$@" 2>&1`, "sh", node, command, ...args], { cwd: old })
  let said = ""
  try {
    for (const line of ["init --example", "deploy --version v1", "run -- true", "status"])
      said += on(...line.split(" "))
  } finally {
    said += on("destroy", "--yes")
  }
  if (/warning/i.test(said)) throw new Error(said)
  console.log(`signalbox on Node ${run(node, ["--version"]).trim()}: deploys, runs, destroys, and warns of nothing`)

  // A stranger's adapter: begun, tested, installed into a project and used by the command, each with its own copies.
  const adapter = join(folder, "adapter")
  run(command, ["init", "--template", "adapter", "adapter"], { cwd: folder })
  const begun = manifest(adapter)
  const core = packed.find(({ manifest }) => manifest.name === "@signalbox/core")!
  writeFileSync(
    join(adapter, "package.json"),
    JSON.stringify({
      ...begun,
      devDependencies: { ...begun.devDependencies, "@signalbox/core": `file:${core.tarball}` }
    })
  )
  const npm = (cwd: string, ...args: ReadonlyArray<string>) =>
    run("npm", [...args, "--no-audit", "--no-fund", "--loglevel=error"], { cwd })
  npm(adapter, "install")
  npm(adapter, "run", "types")
  const [passed = "no test"] =
    /\d+ passed/.exec(
      npm(adapter, "test")
        .replaceAll(/\u001b\[[0-9;]*m/g, "")
        .split("Tests")[1] ?? ""
    ) ?? []
  const project = join(folder, "project")
  mkdirSync(join(project, "v1"), { recursive: true })
  writeFileSync(join(project, "v1", "index.html"), "v1")
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }))
  writeFileSync(
    join(project, "signalbox.config.yaml"),
    `organization: acme\nproject: pages\nenvironments: { production: {} }\nplugins: ["${begun.name}"]\nstacks:\n` +
      `  - { name: home, provider: site, gate: { interval: 100 millis, gracePeriod: 0 millis } }\n`
  )
  // What `npm publish` would upload: JavaScript, compiled by `prepack`.
  npm(adapter, "pack")
  npm(project, "install", `file:${join(adapter, `${begun.name}-${begun.version}.tgz`)}`)
  for (const args of [["init"], ["deploy", "--version", "v1", "--artifact", "v1"], ["destroy", "--yes"]])
    run(command, args, { cwd: project })
  console.log(`init --template adapter: ${passed}, and the command deploys with it`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
