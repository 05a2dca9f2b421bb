#!lua
-- Does nothing, and is refused by a Redis that would refuse register: a full one, and a replica.
--
-- KEYS  1 lease of the node, so that a Cluster knows whom to ask
-- ARGV  none
-- Returns {'OK'}.

redis.call('EXISTS', KEYS[1])
return {'OK'}
