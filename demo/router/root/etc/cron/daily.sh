#!/bin/sh
rm -f /tmp/*.log
