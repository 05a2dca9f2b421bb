/**
 * Lua scripts as Redis runs them, on fengari: one state for all runs, `redis.call` and `redis.pcall`, KEYS and ARGV,
 * and of the libraries base, string, table and math without what loads code or catches errors.
 *
 * fengari is Lua 5.3 with integers of 32 bits. So a number from Redis beyond that (a TTL of 30 days in milliseconds)
 * is given to a script as a float, which holds it exactly up to 2^53, and is written back without a fraction.
 */
import { lauxlib, lua, lualib } from 'fengari';
import { formatDouble } from '../protocol/arguments.ts';
import { Fault, NIL_LIST, type Reply, Status } from '../protocol/reply.ts';

type State = lua.State;
type LuaFunction = lua.LuaFunction;

/** Milliseconds after which a script is ended: everything else in the process waits meanwhile. */
const LONGEST_RUN = 1000;
/** Instructions between two looks at the clock. */
const LOOK_EVERY = 10_000;
/** They load code from elsewhere, write to the terminal, or would catch the end of a run-away script. */
const REMOVED = ['collectgarbage', 'dofile', 'load', 'loadfile', 'loadstring', 'pcall', 'print', 'require', 'xpcall'];

/** What redis.call does during a run; it never throws. */
export type Call = (words: string[]) => Reply;

export class Lua {
  readonly #L: State = lauxlib.luaL_newstate();
  #call: Call = () => null;
  #deadline = 0;

  constructor() {
    const L = this.#L;
    const libraries = {
      _G: lualib.luaopen_base,
      string: lualib.luaopen_string,
      table: lualib.luaopen_table,
      math: lualib.luaopen_math,
    };
    for (const [name, open] of Object.entries(libraries)) {
      lauxlib.luaL_requiref(L, bytes(name), open, 1);
      lua.lua_pop(L, 1);
    }
    for (const name of REMOVED) this.#setGlobal(name, () => lua.lua_pushnil(L));
    this.#setGlobal('redis', () =>
      pushFunctions(L, {
        call: () => this.#redisCall(true),
        pcall: () => this.#redisCall(false),
        error_reply: () => pushReply(L, new Fault(text(L, 1).replace(/^-/, ''))),
        status_reply: () => pushReply(L, new Status(text(L, 1))),
      }),
    );
    this.#closeGlobals();
    lua.lua_sethook(L, () => this.#checkTime(), lua.LUA_MASKCOUNT, LOOK_EVERY);
  }

  /** @returns what `run` takes @throws Error for a text that isn't Lua */
  compile(source: string): number {
    const code = bytes(source);
    if (lauxlib.luaL_loadbuffer(this.#L, code, code.length, bytes('@user_script')) !== lua.LUA_OK) {
      throw new Error(`a script doesn't compile: ${text(this.#L, -1)}`);
    }
    return lauxlib.luaL_ref(this.#L, lua.LUA_REGISTRYINDEX);
  }

  /** @returns the reply, a Fault among them; its text names `sha` and the line, as Redis does */
  run(script: number, sha: string, keys: readonly string[], args: readonly string[], call: Call): Reply {
    const L = this.#L;
    this.#call = call;
    this.#deadline = performance.now() + LONGEST_RUN;
    this.#setGlobal('KEYS', () => pushReply(L, keys));
    this.#setGlobal('ARGV', () => pushReply(L, args));
    lua.lua_pushcfunction(L, explain);
    lua.lua_rawgeti(L, lua.LUA_REGISTRYINDEX, script);
    const status = lua.lua_pcall(L, 0, 1, 1);
    const reply = status === lua.LUA_OK ? readReply(L, -1) : failure(L, sha);
    lua.lua_settop(L, 0);
    return reply;
  }

  #redisCall(raises: boolean): number {
    const L = this.#L;
    const words: string[] = [];
    for (let i = 1; i <= lua.lua_gettop(L); i++) {
      const type = lua.lua_type(L, i);
      if (type === lua.LUA_TNUMBER) words.push(formatDouble(lua.lua_tonumber(L, i)));
      else if (type === lua.LUA_TSTRING) words.push(text(L, i));
      else return answer(L, new Fault('ERR Lua redis lib command arguments must be strings or integers'), raises);
    }
    if (words.length === 0) {
      return answer(L, new Fault('ERR Please specify at least one argument for this redis lib call'), raises);
    }
    return answer(L, this.#call(words), raises);
  }

  #checkTime(): void {
    if (performance.now() < this.#deadline) return;
    pushText(this.#L, `the script ran for more than ${LONGEST_RUN} ms and was ended`);
    lua.lua_error(this.#L);
  }

  #setGlobal(name: string, push: () => void): void {
    lua.lua_pushglobaltable(this.#L);
    pushText(this.#L, name);
    push();
    lua.lua_rawset(this.#L, -3);
    lua.lua_pop(this.#L, 1);
  }

  /** A script can't leave anything behind for the next one. */
  #closeGlobals(): void {
    const refuse = (message: (L: State) => string) => (L: State) => {
      const said = message(L);
      lauxlib.luaL_where(L, 1);
      pushText(L, text(L, -1) + said);
      return lua.lua_error(L);
    };
    lua.lua_pushglobaltable(this.#L);
    pushFunctions(this.#L, {
      __index: refuse((L) => `Script attempted to access nonexistent global variable '${text(L, 2)}'`),
      __newindex: refuse(() => 'Attempt to modify a readonly table'),
    });
    lua.lua_setmetatable(this.#L, -2);
    lua.lua_pop(this.#L, 1);
  }
}

/** Latin1, as everywhere in this folder. */
const bytes = (value: string): Uint8Array => Buffer.from(value, 'latin1');

function text(L: State, index: number): string {
  const value = lua.lua_tostring(L, index) as Uint8Array | null;
  return value === null ? '' : Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1');
}

function pushText(L: State, value: string): void {
  lua.lua_pushlstring(L, bytes(value), value.length);
}

function pushField(L: State, name: string, value: string): void {
  pushText(L, name);
  pushText(L, value);
  lua.lua_rawset(L, -3);
}

function pushFunctions(L: State, functions: Record<string, LuaFunction | (() => void)>): void {
  lua.lua_createtable(L, 0, 0);
  for (const [name, f] of Object.entries(functions)) {
    pushText(L, name);
    lua.lua_pushcfunction(L, (state) => f(state) ?? 1);
    lua.lua_rawset(L, -3);
  }
}

/** https://redis.io/docs/latest/develop/programmability/lua-api/#resp2-to-lua-type-conversion */
function pushReply(L: State, reply: Reply): void {
  if (typeof reply === 'string') pushText(L, reply);
  else if (typeof reply === 'number' || typeof reply === 'bigint') pushNumber(L, Number(reply));
  else if (reply === null || reply === NIL_LIST) lua.lua_pushboolean(L, false);
  else if (reply instanceof Status || reply instanceof Fault) {
    lua.lua_createtable(L, 0, 1);
    if (reply instanceof Status) pushField(L, 'ok', reply.text);
    else pushField(L, 'err', reply.message);
  } else if (Array.isArray(reply)) {
    lua.lua_createtable(L, reply.length, 0);
    reply.forEach((item: Reply, i) => {
      pushReply(L, item);
      lua.lua_rawseti(L, -2, i + 1);
    });
  } else throw new Error('a script can have no such reply');
}

function pushNumber(L: State, value: number): void {
  if (value === (value | 0)) lua.lua_pushinteger(L, value);
  else lua.lua_pushnumber(L, value);
}

/** https://redis.io/docs/latest/develop/programmability/lua-api/#lua-to-resp2-type-conversion */
function readReply(L: State, index: number): Reply {
  const type = lua.lua_type(L, index);
  if (type === lua.LUA_TSTRING) return text(L, index);
  if (type === lua.LUA_TNUMBER) return Math.trunc(lua.lua_tonumber(L, index));
  if (type === lua.LUA_TBOOLEAN) return lua.lua_toboolean(L, index) ? 1 : null;
  if (type !== lua.LUA_TTABLE) return null;
  lua.lua_pushvalue(L, index);
  const fault = field(L, 'err');
  const status = field(L, 'ok');
  const items: Reply[] = [];
  if (fault === undefined && status === undefined) {
    for (let i = 1; lua.lua_rawgeti(L, -1, i) !== lua.LUA_TNIL; i++) {
      items.push(readReply(L, -1));
      lua.lua_pop(L, 1);
    }
    lua.lua_pop(L, 1);
  }
  lua.lua_pop(L, 1);
  return fault !== undefined ? new Fault(fault) : status !== undefined ? new Status(status) : items;
}

/** A string in the table on top of the stack. */
function field(L: State, name: string): string | undefined {
  pushText(L, name);
  const type = lua.lua_rawget(L, -2);
  const value = type === lua.LUA_TSTRING || type === lua.LUA_TNUMBER ? text(L, -1) : undefined;
  lua.lua_pop(L, 1);
  return value;
}

function answer(L: State, reply: Reply, raises: boolean): number {
  pushReply(L, reply);
  return raises && reply instanceof Fault ? lua.lua_error(L) : 1;
}

/** Handler of errors: makes a table with the text and the line where it happened. */
function explain(L: State): number {
  if (lua.lua_type(L, 1) !== lua.LUA_TTABLE) {
    const message = text(L, 1);
    lua.lua_createtable(L, 0, 2);
    pushField(L, 'err', `ERR ${message}`);
  }
  const where = new lua.lua_Debug();
  for (let level = 1; level <= 2 && lua.lua_getstack(L, level, where); level++) {
    lua.lua_getinfo(L, bytes('Sl'), where);
    if (where.currentline > 0) {
      pushField(L, 'line', String(where.currentline));
      break;
    }
  }
  return 1;
}

function failure(L: State, sha: string): Fault {
  if (lua.lua_type(L, -1) !== lua.LUA_TTABLE) return new Fault('ERR the script failed');
  const message = field(L, 'err') ?? 'ERR unknown error';
  const line = field(L, 'line');
  return new Fault(line === undefined ? message : `${message} script: ${sha}, on @user_script:${line}.`);
}
