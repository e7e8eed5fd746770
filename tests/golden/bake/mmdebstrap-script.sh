install -D -m 0644 /airbuild/0-0 '/etc/it'\''s'
install -D -m 0755 /airbuild/1-0 '/usr/bin/script'
systemctl -q disable c.service
systemctl -q mask d.mount
systemctl -q enable a.service b.timer
(
echo one
echo two

)
