/** What lua.ts uses of fengari's C API: https://www.lua.org/manual/5.3/manual.html#4 with bytes for char*. */
declare module 'fengari' {
  export namespace lua {
    export type State = { readonly lua: unique symbol };
    export type LuaFunction = (L: State) => number;
    type Debug = { currentline: number; short_src: Uint8Array; source: Uint8Array; what: Uint8Array };
    export const LUA_OK: number;
    export const LUA_MASKCOUNT: number;
    export const LUA_REGISTRYINDEX: number;
    export const LUA_TNIL: number;
    export const LUA_TBOOLEAN: number;
    export const LUA_TNUMBER: number;
    export const LUA_TSTRING: number;
    export const LUA_TTABLE: number;
    export const lua_Debug: new () => Debug;
    export function lua_createtable(L: State, items: number, fields: number): void;
    export function lua_error(L: State): never;
    export function lua_getinfo(L: State, what: Uint8Array, ar: Debug): number;
    export function lua_getstack(L: State, level: number, ar: Debug): number;
    export function lua_gettop(L: State): number;
    export function lua_pcall(L: State, args: number, results: number, handler: number): number;
    export function lua_pop(L: State, count: number): void;
    export function lua_pushboolean(L: State, value: boolean): void;
    export function lua_pushcfunction(L: State, f: LuaFunction): void;
    export function lua_pushglobaltable(L: State): void;
    export function lua_pushinteger(L: State, value: number): void;
    export function lua_pushnil(L: State): void;
    export function lua_pushnumber(L: State, value: number): void;
    export function lua_pushlstring(L: State, value: Uint8Array, length: number): void;
    export function lua_pushvalue(L: State, index: number): void;
    export function lua_rawget(L: State, index: number): number;
    export function lua_rawgeti(L: State, index: number, key: number): number;
    export function lua_rawset(L: State, index: number): void;
    export function lua_rawseti(L: State, index: number, key: number): void;
    export function lua_sethook(L: State, hook: (L: State) => void, mask: number, count: number): void;
    export function lua_setmetatable(L: State, index: number): void;
    export function lua_settop(L: State, index: number): void;
    export function lua_toboolean(L: State, index: number): boolean;
    export function lua_tonumber(L: State, index: number): number;
    export function lua_tostring(L: State, index: number): Uint8Array;
    export function lua_type(L: State, index: number): number;
  }
  export namespace lauxlib {
    export function luaL_loadbuffer(L: lua.State, text: Uint8Array, length: number, name: Uint8Array): number;
    export function luaL_newstate(): lua.State;
    export function luaL_ref(L: lua.State, table: number): number;
    export function luaL_where(L: lua.State, level: number): void;
    export function luaL_requiref(L: lua.State, name: Uint8Array, open: lua.LuaFunction, global: number): void;
  }
  export namespace lualib {
    export const luaopen_base: lua.LuaFunction;
    export const luaopen_string: lua.LuaFunction;
    export const luaopen_table: lua.LuaFunction;
    export const luaopen_math: lua.LuaFunction;
  }
}
