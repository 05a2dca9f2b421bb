/** stompjs 2.3.3 has no types of its own. */
declare module 'stompjs';
