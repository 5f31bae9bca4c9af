"""Notifications: telling the owner's browsers and services that something happened. Off until a target is added."""
