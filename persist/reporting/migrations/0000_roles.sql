-- Two roles, without a login of their own. `kassa_reporting` reads; grant it to whoever reports.
-- `kassa_writer` is what the reporter becomes once the schema is there: it adds to history and can
-- neither change nor delete it. Roles belong to the whole server and outlive this schema.

-- Up Migration

do $$
declare
  role_name text;
begin
  foreach role_name in array array['kassa_reporting', 'kassa_writer'] loop
    if not exists (select from pg_roles where rolname = role_name) then
      begin
        execute format('create role %I nologin', role_name);
      exception
        when insufficient_privilege then
          raise exception 'Cannot make the role % because % may not create roles',
            role_name, current_user
            using hint = 'Grant CREATEROLE, or have an administrator make the roles '
              'kassa_reporting and kassa_writer and grant kassa_writer to this user.';
        when duplicate_object or unique_violation then
          null;
      end;
    end if;
  end loop;
  -- From 16 on, who makes a role is its administrator and still may not become it.
  if not pg_has_role(current_user, 'kassa_writer',
    case when current_setting('server_version_num')::integer >= 160000 then 'set' else 'member' end)
  then
    begin
      execute format('grant kassa_writer to %I', current_user);
    exception when insufficient_privilege then
      raise exception 'Cannot become the role kassa_writer because % may not grant it', current_user
        using hint = format('Have an administrator run: grant kassa_writer to %I', current_user);
    end;
  end if;
end $$;

-- Down Migration
