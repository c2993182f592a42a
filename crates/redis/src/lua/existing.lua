if not v then return {'absent'} end
if not d then return {'signed out', v} end
